"""What was labelled from seeds is enough for a region: numbers, pixels and pairs are the whole image's."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.label.seeds import label_seed_block, numbered_alone, numbered_pairs
from cellscale.pipeline.area import AreaCores, lacking_of_seeds, selected_labels
from cellscale.regions import Region, blocks
from tests.label.seeds.test_parity import CLASSIFIER, fields, painted

SIDE = 64


def plan_of(polygon, shape, growth=0.0):
    area = WantedArea.of(DrawnRegions((DrawnRegion("R", polygon),), "test"), shapely.Polygon())
    return AreaCores(area, shape, shape, growth)


def labelled(maps, cores):
    """Label parts of blocks, of nuclei and of cells."""

    def block(part, core):
        return label_seed_block(
            lambda region: maps[part : part + 5, *region.slices], core, maps.shape[1:], CLASSIFIER
        )

    return [[block(part, core) for core in cores if core.size] for part in (0, 5)]


def labels_of(found, shape):
    """Return labels of nuclei, of cells with them, and of both alone."""
    inner, outer = numbered_pairs(*found, zip(*found, strict=True))
    nuclei, cells = painted(found[0], inner, shape), painted(found[1], outer, shape)
    return (
        nuclei,
        np.where(nuclei > 0, nuclei, cells),
        *(painted(one, numbered_alone(one, one), shape) for one in found),
    )


def selected(plan, labels):
    """Leave out labels whose centre is not in the area, and number the rest anew."""
    part = Region(0, 0, *labels.shape)
    return selected_labels(plan.area, lambda region: labels[region.slices], [part], int(labels.max()))


def enough(plan, maps, margin, compartments=slice(None)):
    """Label ever more until it is enough; return the labels, and how often more was needed."""
    margins = [margin] * len(plan.cores(SIDE))
    for again in range(12):
        cores = plan.cores(SIDE, margins)
        found = labelled(maps, cores)
        grows = plan.around(lacking_of_seeds(plan, cores, SIDE, found[compartments]), SIDE)
        if not grows:
            return labels_of(found, plan.shape), again
        margins = [2 * old if index in grows else old for index, old in enumerate(margins)]
    raise AssertionError("the whole image should have been enough")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=st.tuples(st.integers(60, 260), st.integers(60, 260)),
    seed=st.integers(0, 2**20),
    smooth=st.sampled_from([1.0, 3.0, 9.0]),
    margin=st.sampled_from([1, 16, 96]),
    corners=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=5, unique=True),
)
@pytest.mark.slow
def test_cells_of_a_region_are_those_of_the_whole_image_with_their_pairs(shape, seed, smooth, margin, corners):
    maps = fields(shape, seed, smooth)
    polygon = shapely.convex_hull(shapely.MultiPoint(np.array(corners) * [shape[1], shape[0]])).buffer(1)
    plan = plan_of(shapely.intersection(polygon, shapely.box(0, 0, shape[1], shape[0])), shape)
    whole = labels_of(labelled(maps, list(blocks(shape, (SIDE, SIDE)))), shape)
    part, _ = enough(plan, maps, margin)
    expected, found = selected(plan, whole[1]), selected(plan, part[1])
    for name in (0, 1):  # the cells decide for the nuclei
        np.testing.assert_array_equal(found(part[name]), expected(whole[name]))
    for name, compartment in ((2, slice(0, 1)), (3, slice(1, 2))):
        part, _ = enough(plan, maps, margin, compartment)
        np.testing.assert_array_equal(
            selected(plan, part[name])(part[name]), selected(plan, whole[name])(whole[name])
        )


def disks(shape, *circles):
    """Return maps of bright disks: nuclei, and cells, each as (kind, row, column, radius)."""
    maps = np.zeros((10, *shape), np.float32)
    rows, columns = np.indices(shape)
    for part, row, column, radius in circles:
        distance = np.hypot(rows - row, columns - column)
        maps[part + 2] = np.maximum(maps[part + 2], np.where(distance <= radius, 1.5, 0))
        maps[part + 4] = np.maximum(maps[part + 4], np.where(distance <= radius, 8 - distance / 10, 0))
    return maps


def test_where_no_nucleus_has_a_cell_all_of_the_image_is_asked():
    # Alone, a nucleus without a cell is one; in an image with cells where no nucleus has one, nothing is found.
    maps = disks((100, 600), (0, 50, 50, 8), (5, 50, 550, 12))
    plan = plan_of(shapely.box(0, 0, 100, 100), (100, 600))
    (nuclei, cells, alone, _), widened = enough(plan, maps, 96)
    assert widened
    assert not nuclei.any()
    assert not cells.any()
    assert alone.any()
    paired = disks((100, 600), (0, 50, 50, 8), (5, 50, 50, 12), (5, 50, 550, 12))
    assert enough(plan, paired, 96)[1] == 0


@pytest.mark.parametrize(("growth", "needed"), [(0.0, 0), (8.0, 0), (60.0, 1)])
def test_what_was_not_seen_may_keep_a_cell_from_growing(growth, needed):
    maps = disks((100, 600), (0, 50, 90, 8), (5, 50, 90, 12))
    assert min(enough(plan_of(shapely.box(0, 0, 100, 100), (100, 600), growth), maps, 96)[1], 1) == needed
