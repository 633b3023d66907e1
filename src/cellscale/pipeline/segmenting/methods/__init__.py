"""Kinds of networks, and how each makes labels of an image.

The maps of Mesmer and its like are blended from tiles, and objects grow from maxima; those of InstanSeg and its like
lie side by side in squares, and objects grow from seeds.
"""

from cellscale.pipeline.segmenting.methods.choice_of_method import grid_of, method_of, method_of_kind
from cellscale.pipeline.segmenting.methods.finished_labels import (
    GrownLabels,
    SelectedLabels,
    grown_cells,
    selected_cells,
    selections_of,
)
from cellscale.pipeline.segmenting.methods.maxima_method import map_reader
from cellscale.pipeline.segmenting.methods.method import AnyNetwork, Kind, Method
from cellscale.pipeline.segmenting.methods.scaling import ScaledImage
from cellscale.pipeline.segmenting.methods.seed_labels import SeedBlockStore, SeedLabeller, settled
from cellscale.pipeline.segmenting.methods.seed_method import MAPS_OF_SEEDS
from cellscale.pipeline.segmenting.methods.square_groups import SquareGroups, read_squares

__all__ = [
    "MAPS_OF_SEEDS",
    "AnyNetwork",
    "GrownLabels",
    "Kind",
    "Method",
    "ScaledImage",
    "SeedBlockStore",
    "SeedLabeller",
    "SelectedLabels",
    "SquareGroups",
    "grid_of",
    "grown_cells",
    "map_reader",
    "method_of",
    "method_of_kind",
    "read_squares",
    "selected_cells",
    "selections_of",
    "settled",
]
