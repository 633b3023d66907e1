"""Mesmer's body, a residual network with a feature pyramid, in kernels."""

from cellscale.predict.native.body.features import compute_features
from cellscale.predict.native.body.room import Room
from cellscale.predict.native.body.weights import STEM_SIDE, BodyWeights, body_weights

__all__ = ["STEM_SIDE", "BodyWeights", "Room", "body_weights", "compute_features"]
