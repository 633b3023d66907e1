"""From an image to its masks: predicted and labelled tile by tile, resumed, and shared among machines."""

from cellscale.pipeline.segmenting.block_store import BLOCK, CertificateSummary
from cellscale.pipeline.segmenting.inputs import MODEL_MPP, NetworkInput, network_input, open_input, require_plausible
from cellscale.pipeline.segmenting.methods import grid_of, grown_cells, method_of_kind
from cellscale.pipeline.segmenting.npz_stages import IMAGE, postprocess_file, predict_file, preprocess_file
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.pipeline.segmenting.prediction import predict_groups
from cellscale.pipeline.segmenting.preparation import PreparedImage, prepare
from cellscale.pipeline.segmenting.shares import SharePlan, label_share, plan_shares, predict_share, prepare_share
from cellscale.pipeline.segmenting.tile_store import GROUP, Group, TileGroups, TileStore

__all__ = [
    "BLOCK",
    "GROUP",
    "IMAGE",
    "MODEL_MPP",
    "CertificateSummary",
    "Group",
    "NetworkInput",
    "PreparedImage",
    "SharePlan",
    "TileGroups",
    "TileStore",
    "grid_of",
    "grown_cells",
    "label_share",
    "method_of_kind",
    "network_input",
    "open_input",
    "plan_shares",
    "postprocess_file",
    "predict_file",
    "predict_groups",
    "predict_share",
    "prepare",
    "prepare_share",
    "preprocess_file",
    "require_plausible",
    "segment_channels",
]
