"""Sizes, boxes and Euler numbers add up over blocks to those of whole objects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import regionprops

from cellscale.label.block import label_block
from cellscale.label.mosaic import Mosaic
from cellscale.label.numbering import finish_region, resolve_objects
from cellscale.label.objects import Objects, complete_objects, measure, merge_objects
from cellscale.label.parameters import Parameters
from cellscale.regions import Region, blocks


def _part(labels, core):
    """Measure one block of a label image whose labels serve as identities."""
    shape = labels.shape
    padded = np.pad(labels, 1)
    bottom, right = core.bottom + (core.bottom == shape[0]), core.right + (core.right == shape[1])
    window = padded[core.top : bottom + 1, core.left : right + 1]
    facts = measure(window, core.height, core.width, int(labels.max()))
    rows = np.flatnonzero((facts[:, 0] > 0) | (facts[:, 6] > 0))
    boxes = facts[rows, 1:5] + np.where(facts[rows, :1] > 0, [[core.top, core.left, core.top, core.left]], 0)
    return Objects(rows.astype(np.int64), facts[rows, 0], boxes, facts[rows, 5])


@settings(max_examples=100)
@given(
    shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    seed=st.integers(0, 2**32),
    objects=st.integers(0, 4),
    size=st.tuples(st.integers(1, 24), st.integers(1, 24)),
)
def test_parts_add_up_to_scikit_images_properties(shape, seed, objects, size):
    labels = np.random.default_rng(seed).integers(0, objects + 1, shape).astype(np.int32)
    merged = merge_objects(_part(labels, core) for core in blocks(shape, size))
    expected = regionprops(labels)
    assert merged.identities.tolist() == [region.label for region in expected]
    assert merged.sizes.tolist() == [region.area for region in expected]
    assert merged.boxes.tolist() == [list(region.bbox) for region in expected]
    assert (merged.euler_quarters / 4).tolist() == [region.euler_number for region in expected]


def test_parts_merge_in_any_order():
    labels = np.random.default_rng(3).integers(0, 5, (30, 30)).astype(np.int32)
    parts = [_part(labels, core) for core in blocks(labels.shape, (7, 11))]
    forward, backward = merge_objects(parts), merge_objects(reversed(parts))
    for name in ("identities", "sizes", "boxes", "euler_quarters"):
        np.testing.assert_array_equal(getattr(forward, name), getattr(backward, name))


@pytest.mark.parametrize("count", [1, 3])
def test_no_objects_merge_to_none(count):
    empty = _part(np.zeros((2, 2), np.int32), Region(0, 0, 2, 2))
    assert len(merge_objects([empty] * count)) == 0


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), size=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_objects_come_out_whole_and_once_row_by_row(seed, size):
    spots = np.random.default_rng(seed).random((24, 20)) < 0.5
    labels, _ = ndimage.label(spots, np.ones((3, 3)))
    labels = labels.astype(np.int32)
    parts = [_part(labels, core) for core in blocks(labels.shape, size)]
    width = -(-labels.shape[1] // size[1])
    rows = [parts[start : start + width] for start in range(0, len(parts), width)]
    complete = list(complete_objects(rows))
    assert all((np.diff(some.identities) > 0).all() for some in complete)
    together, expected = merge_objects(complete), merge_objects(parts)
    assert sum(map(len, complete)) == len(expected)
    for name in ("identities", "sizes", "boxes", "euler_quarters"):
        np.testing.assert_array_equal(getattr(together, name), getattr(expected, name))


def test_an_object_is_let_go_of_when_the_row_below_has_no_part_of_it():
    labels = np.zeros((40, 4), np.int32)
    labels[1:3, 1:3], labels[11:23, 1:3], labels[35:, 1:3] = 1, 2, 3
    rows = [[_part(labels, core)] for core in blocks(labels.shape, (10, 4))]
    assert [some.identities.tolist() for some in complete_objects(rows)] == [[], [1], [], [2], [3]]


def test_an_object_that_erosion_takes_apart_comes_out_whole_where_blocks_between_have_nothing_of_it():
    interior = np.zeros((60, 12), np.float32)
    interior[2:12, 1:11] = interior[48:58, 1:11] = interior[12:48, 5] = 1
    maxima = np.zeros((60, 12), np.float32)
    maxima[5, 5] = 1
    parameters = Parameters(maxima_threshold=0.1, interior_smoothing=0, label_erosion=1)

    def read(region):
        return maxima[region.slices], interior[region.slices]

    labelled = [label_block(read, core, interior.shape, parameters) for core in blocks(interior.shape, (6, 12))]
    whole = [objects for objects in complete_objects([block.objects] for block in labelled) if len(objects)]
    assert [objects.sizes.tolist() for objects in whole] == [[2 * (64 + 1)]]
    assert [objects.boxes.tolist() for objects in whole] == [[[3, 2, 57, 10]]]


@pytest.mark.parametrize("small_objects", [0, 15])
def test_an_object_of_which_erosion_leaves_nothing_is_not_there_and_its_box_widens_none(small_objects):
    interior = np.zeros((40, 30), np.float32)
    interior[2:38, 3:5] = interior[10:20, 10:22] = 1
    maxima = np.zeros((40, 30), np.float32)
    maxima[4, 3] = maxima[15, 15] = 1
    parameters = Parameters(maxima_threshold=0.1, interior_smoothing=0, label_erosion=1, small_objects=small_objects)

    def read(region):
        return maxima[region.slices], interior[region.slices]

    expected = np.zeros(interior.shape, np.int32)
    expected[11:19, 11:21] = 1
    for side in (6, 40):  # in many blocks, and in one
        labelled = [
            label_block(read, core, interior.shape, parameters) for core in blocks(interior.shape, (side, side))
        ]
        every = merge_objects(block.objects for block in labelled)
        assert every.sizes[every.sizes > 0].tolist() == [80]
        assert every.boxes[every.sizes > 0].tolist() == [[11, 11, 19, 21]]
        identities = Mosaic(interior.shape, (side, side), labelled.__getitem__).identities
        resolution = resolve_objects([every], identities, interior.shape, parameters)
        whole = Region(0, 0, *interior.shape)
        np.testing.assert_array_equal(finish_region(identities(whole), resolution, whole), expected)
