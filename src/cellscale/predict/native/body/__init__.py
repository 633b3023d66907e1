"""Mesmer's body, a residual network with a feature pyramid, in kernels."""

from cellscale.predict.native.body.features import compute_features
from cellscale.predict.native.body.room import Room
from cellscale.predict.native.body.weights import STEM_SIDE, FoundBody, find_body

__all__ = ["STEM_SIDE", "FoundBody", "Room", "compute_features", "find_body"]
