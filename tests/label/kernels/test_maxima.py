"""h-maxima equal scikit-image's, however they are found; what a block says for certain holds for the whole image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.morphology import disk, h_maxima

from cellscale.label.kernels.frame import Frame
from cellscale.label.kernels.hmaxima_all import decide_all
from cellscale.label.kernels.markers import FREE, UNKNOWN, mark
from cellscale.label.kernels.maxima import MAYBE, NO, YES, decide, disk_offsets, ruled_out, shifted_down
from cellscale.regions import Region
from tests.label.maps import maps
from tests.label.oracle import expected_markers

HEIGHTS = st.sampled_from([0.01, 0.075, 0.1, 0.125, 0.3])


def _found(maxima, height, radius, flood_budget=24):
    """Return the marker pixels of a whole image in which everything is mask."""
    frame = Frame(Region(0, 0, *maxima.shape), maxima.shape, radius)
    labels = np.full(frame.padded_shape, -1, np.int32)
    labels[frame.inner] = FREE
    firsts = mark(maxima, labels, frame, height, radius=radius, flood_budget=flood_budget)
    return labels[frame.inner], firsts


@settings(max_examples=150)
@given(maps=maps(), height=HEIGHTS, radius=st.integers(1, 4), flood_budget=st.sampled_from([24, 0]))
def test_markers_are_scikit_images(maps, height, radius, flood_budget):
    labels, firsts = _found(maps[0], height, radius, flood_budget)
    expected = expected_markers(maps[0], height, radius)
    np.testing.assert_array_equal(labels, expected)
    assert firsts.size == expected.max()


@pytest.mark.parametrize("scale", [1e-30, 1e-8, 3e-3, 1.0, 1e6])
def test_rounding_is_scikit_images(scale):
    maxima = (np.random.default_rng(1).random((40, 40)) * scale).astype(np.float32)
    for height in (0.5 * scale, 0.075):
        labels, _ = _found(maxima, height, 2)
        np.testing.assert_array_equal(labels > 0, h_maxima(maxima, h=height, footprint=disk(2)) > 0)


def _verdicts(values, shifted, height, offsets, row_length):
    verdict = ruled_out(values, shifted, height, row_length)
    stamp, queue = np.zeros(values.size, np.int32), np.empty(values.size, np.int32)
    for pixel in np.flatnonzero(np.isfinite(values)):
        if verdict[pixel] == 0:
            decide(pixel, values, shifted, height, offsets, verdict, stamp, queue)
    return verdict


@settings(max_examples=100)
@given(maps=maps(side=32), height=HEIGHTS, top=st.integers(0, 10), left=st.integers(0, 10), side=st.integers(1, 20))
def test_floods_and_forest_agree_and_certain_verdicts_hold_in_the_whole_image(maps, height, top, left, side):
    maxima = maps[0]
    region = Region(min(top, maxima.shape[0] - 1), min(left, maxima.shape[1] - 1), top + side, left + side)
    region = region.grown(0, maxima.shape)
    frame = Frame(region, maxima.shape, 2)
    step = np.float32(height)
    values = frame.padded(maxima[region.slices], beyond=np.inf).ravel()
    shifted = shifted_down(values, step)
    offsets = disk_offsets(2, frame.padded_shape[1])
    floods = _verdicts(values, shifted, step, offsets, frame.padded_shape[1]).reshape(frame.padded_shape)[frame.inner]
    forest = decide_all(values, shifted, step, offsets).reshape(frame.padded_shape)[frame.inner]
    np.testing.assert_array_equal(floods, forest)

    truth = h_maxima(maxima, h=height, footprint=disk(2))[region.slices] > 0
    assert not truth[floods == NO].any()
    if height <= np.ptp(maxima):
        assert truth[floods == YES].all()
    if frame.is_whole:
        assert not (floods == MAYBE).any()


def test_a_plateau_that_leaves_the_block_is_unknown():
    frame = Frame(Region(0, 0, 10, 10), (10, 20), 2)
    maxima = np.zeros((10, 10), np.float32)
    maxima[5, 6:] = 1
    labels = np.full(frame.padded_shape, -1, np.int32)
    labels[frame.inner] = FREE
    firsts = mark(maxima, labels, frame, 0.1, radius=2)
    assert firsts.size == 0
    assert (labels[frame.inner][5, 6:] == UNKNOWN).all()


def test_markers_joined_outside_the_mask_are_one_and_named_by_their_first_pixel():
    maxima = np.zeros((9, 9), np.float32)
    maxima[2, 2:7] = 1
    frame = Frame(Region(0, 0, 9, 9), (9, 9), 2)
    labels = np.full(frame.padded_shape, -1, np.int32)
    labels[frame.inner][2, [4, 6]] = FREE
    firsts = mark(maxima, labels, frame, 0.1, radius=2)
    assert labels[frame.inner][2].tolist() == [-1, -1, -1, -1, 1, -1, 1, -1, -1]
    assert firsts.tolist() == [(2 + 2) * 13 + 2 + 2]


@pytest.mark.parametrize("slope", [0.0, 1e-7, 1e-4])
def test_wide_plateaus_do_not_take_quadratic_time(slope):
    """Floods that each cross a megapixel would take hours."""
    rows, columns = np.indices((700, 700))
    maxima = (0.5 - slope * np.hypot(rows - 350, columns - 350)).astype(np.float32)
    maxima[0, 0] = 0
    labels, _ = _found(maxima, 0.3, 2)
    expected = h_maxima(maxima, h=0.3, footprint=disk(2))
    np.testing.assert_array_equal(labels > 0, expected > 0)
