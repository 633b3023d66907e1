"""The part of an image that is wanted."""

import pytest
import shapely

from cellscale.annotations import DrawnRegion, DrawnRegions, wanted_area

INSIDE = shapely.Polygon([(40, 30), (90, 30), (90, 80), (40, 80)])
AT_BORDER = shapely.Polygon([(40, 100), (0, 100), (0, 30), (40, 30)])
BEYOND = shapely.Polygon([(-5, 20), (40, 20), (40, 120), (-5, 120)])


@pytest.mark.parametrize("drawn", [INSIDE, AT_BORDER, BEYOND])
def test_regions_that_are_cut_to_the_image_once_more_are_the_same_to_the_corner(drawn):
    (once,) = cut(drawn)
    (twice,) = cut(once.geometry)
    assert shapely.to_wkb(twice.geometry) == shapely.to_wkb(once.geometry)
    assert once.geometry.equals(shapely.intersection(drawn, shapely.box(0, 0, 100, 100)))


def cut(geometry):
    return wanted_area(DrawnRegions((DrawnRegion("A", geometry),), "drawn.geojson"), None, (100, 100)).drawn
