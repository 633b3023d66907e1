"""Outlines that people drew on an image: which parts of it are meant, and what they are called."""

from cellscale.annotations.area_of_image import WantedArea, area_mark, wanted_area
from cellscale.annotations.drawn_regions import DrawnRegion, DrawnRegions
from cellscale.annotations.geojson_regions import read_geojson

__all__ = ["DrawnRegion", "DrawnRegions", "WantedArea", "area_mark", "read_geojson", "wanted_area"]
