"""Mesmer's heads, from the body's features to the maps of a tile."""

from cellscale.predict.native.heads.head import FEATURES_SHAPE, compute_head
from cellscale.predict.native.heads.head_weights import HeadWeights, as_kind, head_weights

__all__ = ["FEATURES_SHAPE", "HeadWeights", "as_kind", "compute_head", "head_weights"]
