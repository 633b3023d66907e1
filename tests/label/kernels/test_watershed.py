"""The flood equals scikit-image's, and what the adversary cannot reach is certain."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from skimage.segmentation import watershed

from cellscale.label.kernels.frame import Frame
from cellscale.label.kernels.markers import FREE, OUTSIDE, UNKNOWN
from cellscale.label.kernels.watershed import flood, seed_open_sides
from cellscale.regions import Region
from tests.label.maps import TIE_FREE, maps
from tests.label.oracle import plain_watershed


def _flooded(values, seeds, mask, frame):
    part = frame.region.slices
    labels = np.full(frame.padded_shape, OUTSIDE, np.int32)
    labels[frame.inner] = np.where(mask[part], seeds[part], OUTSIDE)
    seed_open_sides(labels, frame)
    flood(frame.padded(values[part], beyond=-np.inf), labels)
    return labels[frame.inner]


def _seeds(random, shape):
    seeds = np.zeros(shape, np.int32)
    places = random.choice(seeds.size, min(seeds.size, random.integers(1, 12)), replace=False)
    seeds.flat[np.sort(places)] = np.arange(1, places.size + 1)
    return seeds


@settings(max_examples=60)
@given(maps=maps(kinds=TIE_FREE), seed=st.integers(0, 2**32))
def test_labels_are_scikit_images(maps, seed):
    seeds, mask = _seeds(np.random.default_rng(seed), maps[1].shape), maps[0] > 0.3
    labels = _flooded(maps[1], seeds, mask, Frame(Region(0, 0, *mask.shape), mask.shape, 1))
    np.testing.assert_array_equal(np.maximum(labels, 0), watershed(-maps[1], seeds, mask=mask))


@settings(max_examples=100)
@given(maps=maps(), seed=st.integers(0, 2**32))
def test_ties_are_scikit_images_where_markers_differ(maps, seed):
    random = np.random.default_rng(seed)
    values = maps[1].copy()
    seeds, mask = _seeds(random, values.shape), random.random(values.shape) < 0.85
    values[seeds > 0] += 0.01 * random.permutation(np.count_nonzero(seeds)).astype(np.float32)
    assume(np.unique(values[seeds > 0]).size == seeds.max())
    labels = _flooded(values, seeds, mask, Frame(Region(0, 0, *mask.shape), mask.shape, 1))
    np.testing.assert_array_equal(np.maximum(labels, 0), watershed(-values, seeds, mask=mask))


@settings(max_examples=150)
@given(maps=maps(), seed=st.integers(0, 2**32), data=st.data())
def test_certain_labels_are_the_whole_images(maps, seed, data):
    random = np.random.default_rng(seed)
    shape = maps[1].shape
    seeds, mask = _seeds(random, shape), random.random(shape) < 0.8
    top, left = data.draw(st.integers(0, shape[0] - 1)), data.draw(st.integers(0, shape[1] - 1))
    region = Region(top, left, data.draw(st.integers(top + 1, shape[0])), data.draw(st.integers(left + 1, shape[1])))
    labels = _flooded(maps[1], seeds, mask, Frame(region, shape, 2))
    certain = labels != UNKNOWN
    truth = plain_watershed(maps[1], seeds, mask)[region.slices]
    np.testing.assert_array_equal(np.maximum(labels, 0)[certain], truth[certain])


def test_a_plateau_is_shared_in_the_order_of_the_markers_and_neighbours():
    values = np.ones((3, 6), np.float32)
    seeds = np.zeros((3, 6), np.int32)
    seeds[2, 0], seeds[0, 5] = 7, 3
    labels = _flooded(values, seeds, values > 0, Frame(Region(0, 0, 3, 6), (3, 6), 1))
    np.testing.assert_array_equal(labels, plain_watershed(values, seeds, values > 0))
    assert labels[1, 2] == 7
    assert labels[1, 3] == 3


def test_only_open_sides_are_the_adversarys():
    labels = np.full((5, 6), OUTSIDE, np.int32)
    labels[1:-1, 1:-1] = FREE
    labels[1, 2] = 4
    seed_open_sides(labels, Frame(Region(2, 0, 5, 4), (9, 4), 1))
    assert labels[1, 1:-1].tolist() == [UNKNOWN, 4, UNKNOWN, UNKNOWN]
    assert labels[3, 1:-1].tolist() == [UNKNOWN] * 4
    assert labels[2, 1:-1].tolist() == [FREE] * 4


@pytest.mark.parametrize("known_at", [0, 4])
def test_the_adversary_is_ahead_of_markers_of_its_value(known_at):
    """It may hold a marker that comes earlier in the whole image."""
    labels = np.full((3, 7), OUTSIDE, np.int32)
    labels[1, 1:6] = FREE
    labels[1, 1], labels[1, 5] = UNKNOWN, UNKNOWN
    labels[1, 1 + known_at] = 1
    flood(np.ones((3, 7), np.float32), labels)
    assert labels[1, 3] == UNKNOWN
