"""Which rectangles of an image are labelled for a region."""

import pytest
import shapely

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.pipeline.area import AreaCores, spread
from cellscale.pipeline.segmenting.tile_store import TileGroups
from cellscale.predict.tiles import OVERLAP, TILE, TileGrid

SHAPE = (4096, 4096)
SIDE = 1024


@pytest.mark.parametrize(("start", "tiles"), [(0, 144), (1024, 169), (700, 196)])
def test_what_is_labelled_is_as_wide_as_the_tiles_that_are_predicted_for_it(start, tiles):
    region = DrawnRegion("R", shapely.box(start, start, start + 2048, start + 2048))
    area = WantedArea.of(DrawnRegions((region,), "test"), shapely.Polygon())
    groups = TileGroups(TileGrid.of(SHAPE, TILE, OVERLAP), side=1, surroundings=48)
    narrow = AreaCores(area, SHAPE, SHAPE).cores(SIDE)
    wide = spread(narrow, SHAPE, SIDE, groups.near)
    for cores in (narrow, wide):
        assert len({tile for core in cores if core.size for tile in groups.near(core)}) == tiles
    assert [core.size > 0 for core in wide] == [core.size > 0 for core in narrow]
    for before, after in zip(narrow, wide, strict=True):
        assert after.top <= before.top
        assert after.left <= before.left
        assert after.bottom >= before.bottom
        assert after.right >= before.right
    assert sum(core.size for core in wide) > sum(core.size for core in narrow)
    covered = shapely.union_all([shapely.box(c.left, c.top, c.right, c.bottom) for c in wide if c.size])
    assert covered.area == sum(core.size for core in wide)  # no pixel twice
