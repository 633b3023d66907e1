"""What was labelled of an image is enough for a region, or more is needed, and where."""

import numpy as np
import pytest
import shapely

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.label.block import Certificate, LabelledBlock
from cellscale.label.objects import Objects
from cellscale.pipeline.area import AreaCores, lacking
from cellscale.regions import Region

SHAPE = (60, 120)
SIDE = 60
LABELLED = [Region(0, 0, 60, 60), Region(0, 60, 60, 80)]


def lacks(labels, growth=0.0, holes=0, cores=LABELLED):
    """Return the blocks of which more is needed for the region that ends at column 30."""
    region = DrawnRegion("R", shapely.box(0, 0, 30, 60))
    area = WantedArea.of(DrawnRegions((region,), "test"), shapely.Polygon())
    return lacking(
        AreaCores(area, SHAPE, SHAPE, growth), cores, SIDE, holes, lambda index: block(labels, cores[index])
    )


def block(labels, core):
    part = labels[core.slices]
    identities = np.unique(part[part > 0]).astype(np.int64)
    places = [np.add(np.argwhere(part == one), (core.top, core.left)) for one in identities]
    boxes = [[*found.min(axis=0), *(found.max(axis=0) + 1)] for found in places]
    sizes = np.array([len(found) for found in places], np.int64)
    facts = (sizes, np.array(boxes, np.int64).reshape(-1, 4), np.full(len(places), 4, np.int64))
    rows = np.where(part > 0, np.searchsorted(identities, part) + 1, 0).astype(np.int32)
    return LabelledBlock(core, rows, Objects(identities, *facts), Certificate(0, 0))


def image(**columns):
    """Return labels with an object from each pair of columns, in rows 20 to 29."""
    labels = np.zeros(SHAPE, np.int32)
    for number, (first, last) in enumerate(columns.values(), start=1):
        labels[20:30, first : last + 1] = number
    return labels


def test_an_object_of_the_region_that_goes_on_needs_more():
    assert lacks(image(long=(20, 90))) == {1}
    assert lacks(image(short=(20, 70))) == set()


def test_an_object_outside_that_goes_on_needs_more_only_where_its_box_meets_a_cells():
    assert lacks(image(cell=(20, 50), other=(56, 90))) == set()
    assert lacks(image(cell=(20, 55), other=(56, 90))) == {1}


@pytest.mark.parametrize(("growth", "needed"), [(0.0, set()), (4.0, set()), (4.5, {1})])
def test_what_was_not_seen_may_keep_a_cell_from_growing(growth, needed):
    # Of 80 columns that were labelled the cell leaves nine empty, beyond which there may be another one.
    assert lacks(image(cell=(20, 70)), growth) == needed


def test_a_cell_beside_the_region_may_grow_into_it():
    # Where it ends decides whether its centre is in the region.
    assert lacks(image(cell=(33, 74)), growth=4.0) == {1}
    assert lacks(image(cell=(36, 74)), growth=4.0) == set()


def test_what_was_not_seen_may_fill_a_hole_with_a_cells_end():
    assert lacks(image(cell=(20, 70)), holes=9) == set()
    assert lacks(image(cell=(20, 70)), holes=10) == {1}


def test_nothing_is_needed_beyond_the_edge_of_the_image_or_where_all_is_labelled():
    everything = [Region(0, 0, 60, 60), Region(0, 60, 60, 120)]
    assert lacks(image(long=(20, 119)), growth=50.0, holes=15, cores=everything) == set()
    assert lacks(np.zeros(SHAPE, np.int32)) == set()


def test_what_is_beyond_several_blocks_is_widened_until_all_is_labelled():
    # Cells grow by more than blocks are wide: more of every block from which they could be reached is labelled.
    region = DrawnRegion("R", shapely.box(0, 0, 30, 60))
    area = WantedArea.of(DrawnRegions((region,), "test"), shapely.Polygon())
    plan = AreaCores(area, (60, 900), (60, 900), 100.0)
    assert plan.around({0}, SIDE) == set(range(6))
    assert AreaCores(area, (60, 900), (60, 900)).around({0}, 512) == {0, 1}
