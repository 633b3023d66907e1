"""A part of an image: which blocks it takes, when they are enough, and which cells are in it."""

from cellscale.pipeline.area.area_cores import AreaCores
from cellscale.pipeline.area.area_selection import Selection, selected_labels
from cellscale.pipeline.area.enough import is_enough
from cellscale.pipeline.area.part_wanted import Part, choice_mark, part_of, tell_regions

__all__ = [
    "AreaCores",
    "Part",
    "Selection",
    "choice_mark",
    "is_enough",
    "part_of",
    "selected_labels",
    "tell_regions",
]
