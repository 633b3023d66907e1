"""Outlines that people drew on an image: which parts of it are meant, and what they are called."""

from cellscale.annotations.area_of_image import RegionFile, WantedArea, wanted_area
from cellscale.annotations.drawn_regions import DrawnRegion, DrawnRegions
from cellscale.annotations.geojson_regions import read_geojson

__all__ = [
    "DrawnRegion",
    "DrawnRegions",
    "RegionFile",
    "WantedArea",
    "read_geojson",
    "wanted_area",
]
