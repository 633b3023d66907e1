"""A sample of the pixels tells what is wrong with a channel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter, uniform_filter

from cellscale.report.sample import SIDE, blurred_parts, describe, sample_regions, sharpness

RNG = np.random.default_rng(5)


def tissue(radius=6, size=256, seed=0):
    """Discs with sharp edges on a dark ground, slightly blurred as any microscope does."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    plane = np.zeros((size, size))
    for row, column in rng.integers(0, size, (size * size // (12 * radius**2), 2)):
        plane[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = rng.uniform(500, 1500)
    return gaussian_filter(plane, 0.7)


def noisy(plane, seed=1):
    return np.random.default_rng(seed).poisson(plane + 20).clip(max=65535).astype(np.uint16)


@settings(max_examples=25)
@given(plane=arrays(np.uint16, (9, 11)))
def test_every_pixel_is_in_the_histogram_or_above_it(plane):
    seen = describe([plane])
    assert sum(seen.counts) == (plane <= seen.high).sum()
    assert seen.low <= seen.median <= seen.top <= seen.maximum


def test_bins_of_counts_hold_whole_numbers():
    seen = describe([RNG.integers(0, 5, (50, 50)).astype(np.uint8)])
    assert len(seen.counts) == 5
    assert min(seen.counts) > 300


@pytest.mark.parametrize("plane", [np.zeros((8, 8)), np.full((8, 8), 3.5), np.full((8, 8), np.nan)])
def test_a_channel_without_contrast_is_blank(plane):
    assert describe([plane]).blank


def test_a_few_hot_pixels_do_not_make_a_signal():
    plane = np.zeros((100, 100))
    plane[5, :5] = 1000
    assert describe([plane]).blank
    plane[:20] = 1000
    assert not describe([plane]).blank


def test_saturation_at_the_largest_value_of_the_type():
    plane = noisy(tissue() * 60)
    share = (plane == 65535).mean()
    assert share > 0.01
    assert describe([plane], 65535.0).saturated == pytest.approx(share)


def test_saturation_below_the_largest_value_of_the_type():
    plane = np.minimum(noisy(tissue() * 3), 2000)
    assert describe([plane], 65535.0).saturated == pytest.approx((plane == 2000).mean())


def test_neither_bright_cells_nor_few_counts_are_saturated():
    assert describe([noisy(tissue())], 65535.0).saturated == 0
    assert describe([RNG.poisson(0.7, (200, 200)).astype(np.uint8)], 255.0).saturated == 0


@pytest.mark.parametrize("radius", [5, 8, 14])
@pytest.mark.parametrize("brightness", [1, 20])
def test_blurred_parts_are_told_from_sharp_ones(radius, brightness):
    sharp = [noisy(brightness * tissue(radius, seed=seed)) for seed in range(6)]
    soft = [noisy(brightness * gaussian_filter(tissue(radius, seed=seed), 3)) for seed in range(6, 8)]
    assert blurred_parts([sharpness(plane, 0.5) for plane in sharp]) == (6, 0)
    assert blurred_parts([sharpness(plane, 0.5) for plane in [*sharp, *soft]]) == (8, 2)


def test_parts_with_other_cells_are_not_taken_for_blurred():
    mixed = [noisy(tissue(radius, seed=radius)) for radius in (4, 5, 6, 8, 10, 14)]
    assert blurred_parts([sharpness(plane, 0.5) for plane in mixed]) == (6, 0)


def test_empty_parts_are_not_judged():
    empty = sharpness(np.zeros((256, 256), np.uint8), 0.5)
    tiny = sharpness(np.zeros((5, 256), np.uint8), 0.5)
    assert blurred_parts([empty, tiny]) == (0, 0)
    assert blurred_parts([]) == (0, 0)
    assert blurred_parts([empty, sharpness(noisy(tissue()), 0.5)]) == (1, 0)


@given(
    planes=st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int64]).flatmap(
        lambda dtype: st.lists(arrays(dtype, st.tuples(st.integers(1, 9), st.integers(1, 9))), min_size=1, max_size=3)
    )
)
def test_whole_numbers_are_counted_alike_in_any_type(planes):
    planes = [(plane >> max(8 * plane.itemsize - 32, 0)).astype(plane.dtype) for plane in planes]
    wide = [plane.astype(np.int64) for plane in planes]
    assert describe(planes, 255.0) == describe(wide, 255.0)
    assert sum(describe(planes).counts) == sum(int((plane <= describe(planes).high).sum()) for plane in planes)


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_the_middle_of_numbers_with_signs_lies_between_them(dtype):
    numbers = np.iinfo(dtype)
    found = describe([np.array([[numbers.min, numbers.max]], dtype)])
    assert (found.low, found.median, found.maximum) == (numbers.min, -0.5, numbers.max)


@given(rows=st.integers(13, 90), columns=st.integers(13, 90), mpp=st.floats(0.3, 2), seed=st.integers(0, 99))
def test_sharpness_is_that_of_pixels_averaged_by_scipy(rows, columns, mpp, seed):
    plane = np.random.default_rng(seed).integers(0, 65536, (rows, columns), np.uint16)
    near = max(1, round(1 / mpp))
    smooth = uniform_filter(plane.astype(np.float32), max(1, round(1.5 / mpp)))

    def square(distance):
        along = smooth[distance:] - smooth[:-distance], smooth[:, distance:] - smooth[:, :-distance]
        return sum(float(np.mean(np.square(one, dtype=np.float64))) for one in along) / 2

    expected = (np.nan, 0.0) if min(plane.shape) <= 6 * near else (square(near) / square(3 * near), smooth.var())
    assert np.array_equal(sharpness(plane, mpp), expected, equal_nan=True)


def test_the_sample_lies_where_objects_are():
    objects = np.zeros((30, 30), np.int64)
    objects[3:20, 5:25] = 4
    shape = (29 * SIDE + 7, 30 * SIDE)
    regions = sample_regions(objects, shape)
    assert 40 < len(regions) <= 48
    assert all(objects[region.top // SIDE, region.left // SIDE] for region in regions)
    assert regions == sorted(set(regions))
    everywhere = sample_regions(np.zeros((30, 30), np.int64), shape)
    assert everywhere[0].top == 0
    assert everywhere[-1].bottom == shape[0]
