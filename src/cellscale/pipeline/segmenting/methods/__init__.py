"""Kinds of networks, and how each makes labels of an image.

The maps of Mesmer and its like are blended from tiles, and objects grow from maxima; those of InstanSeg and its like
lie side by side in squares, and objects grow from seeds.
"""

from cellscale.pipeline.segmenting.methods.choice_of_method import method_of, method_of_kind
from cellscale.pipeline.segmenting.methods.finished_labels import (
    GrownLabels,
    SelectedLabels,
    grown_cells,
    selected_cells,
    selections_of,
)
from cellscale.pipeline.segmenting.methods.maxima_method import map_reader
from cellscale.pipeline.segmenting.methods.method import AnyNetwork, Method

__all__ = [
    "AnyNetwork",
    "GrownLabels",
    "Method",
    "SelectedLabels",
    "grown_cells",
    "map_reader",
    "method_of",
    "method_of_kind",
    "selected_cells",
    "selections_of",
]
