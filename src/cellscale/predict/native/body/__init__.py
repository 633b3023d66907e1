"""Mesmer's body, a residual network with a feature pyramid, in kernels."""

from cellscale.predict.native.body.body_weights import STEM_SIDE, FoundBody, find_body
from cellscale.predict.native.body.features import compute_features

__all__ = ["STEM_SIDE", "FoundBody", "compute_features", "find_body"]
