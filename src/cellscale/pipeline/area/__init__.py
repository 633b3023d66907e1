"""A part of an image: which blocks it takes, when they are enough, and which cells are in it."""

from cellscale.pipeline.area.area_cores import AreaCores, spread
from cellscale.pipeline.area.area_selection import Selection, selected_labels
from cellscale.pipeline.area.enough import lacking
from cellscale.pipeline.area.enough_seeds import lacking_of_seeds
from cellscale.pipeline.area.part_wanted import Part, part_of, region_facts, tell_regions
from cellscale.pipeline.area.region_sources import area_of, choice_mark, project_annotations
from cellscale.pipeline.area.tissue_part import part_in_tissue, tissue_mark

__all__ = [
    "AreaCores",
    "Part",
    "Selection",
    "area_of",
    "choice_mark",
    "lacking",
    "lacking_of_seeds",
    "part_in_tissue",
    "part_of",
    "project_annotations",
    "region_facts",
    "selected_labels",
    "spread",
    "tell_regions",
    "tissue_mark",
]
