"""Sizes, boxes and Euler numbers add up over blocks to those of whole objects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops

from cellscale.label.objects import Objects, measure, merge_objects
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
