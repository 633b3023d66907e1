"""Whole-channel statistics equal numpy's on the whole array, whatever the blocks."""

from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.preprocess.statistics import ChannelStatistics, channel_percentiles, channel_statistics, value_range
from tests.preprocess.channels import mapper, reader

DTYPES = ["uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64"]


def statistics(image: NDArray[Any], size: tuple[int, int] = (3, 4)) -> ChannelStatistics:
    return channel_statistics(mapper(reader(image), image.shape, size), image.dtype)


def clipped(image: NDArray[Any]) -> NDArray[Any]:
    """Clip as DeepCell does, in one shot."""
    result = image.copy()
    non_zero = image[image != 0]
    if non_zero.size:
        percentile = np.percentile(non_zero.astype(np.float64), 99.9)
        result[image > percentile] = np.float64(percentile).astype(image.dtype)
    return result


@st.composite
def images(draw: st.DrawFn) -> NDArray[Any]:
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    if dtype.kind == "f":
        values = rng.normal(0, 10.0 ** draw(st.integers(-30, 30)), shape).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        low, high = sorted(draw(st.tuples(*[st.integers(limits.min, limits.max)] * 2)))
        values = rng.integers(low, high, shape, endpoint=True, dtype=dtype)
    values[rng.random(shape) < draw(st.sampled_from([0.0, 0.5, 0.99]))] = 0
    return values


@pytest.mark.slow
@given(images())
def test_percentile_and_range_equal_numpy(image: NDArray[Any]) -> None:
    non_zero = image[image != 0].astype(np.float64)
    expected = clipped(image)
    found = statistics(image)
    assert (found.minimum, found.maximum) == (expected.min(), expected.max())
    if non_zero.size:
        assert found.clip == np.percentile(non_zero, 99.9).astype(image.dtype)
        np.testing.assert_array_equal(np.minimum(image, image.dtype.type(found.clip)), expected)


@given(
    st.sampled_from([np.float32, np.float64]).flatmap(
        lambda dtype: arrays.arrays(
            dtype,
            st.tuples(st.integers(1, 6), st.integers(1, 6)),
            elements=st.floats(-(2.0**90), 2.0**90, width=np.dtype(dtype).itemsize * 8),
        )
    )
)
def test_any_finite_floats_rank_exactly(image: NDArray[Any]) -> None:
    non_zero = image[image != 0].astype(np.float64)
    if non_zero.size:
        assert statistics(image).clip == np.percentile(non_zero, 99.9).astype(image.dtype)


@given(images(), st.integers(1, 50), st.integers(1, 50))
@settings(max_examples=30)
def test_blocks_do_not_matter(image: NDArray[Any], rows: int, columns: int) -> None:
    assert statistics(image, (rows, columns)) == statistics(image, image.shape)


@pytest.mark.slow
@given(images(), st.lists(st.sampled_from([0.0, 0.1, 7.5, 50.0, 99.9, 100.0]), min_size=1, max_size=3))
def test_percentiles_of_all_pixels_are_numpys(image: NDArray[Any], percentages: list[float]) -> None:
    map_blocks = mapper(reader(image), image.shape, (3, 4))
    found = channel_percentiles(map_blocks, image.dtype, tuple(percentages), image.size)
    assert found == [float(np.percentile(image.astype(np.float64), percentage)) for percentage in percentages]


@pytest.mark.parametrize("dtype", DTYPES)
def test_blank_channel_stays_blank(dtype: str) -> None:
    assert statistics(np.zeros((9, 5), dtype)) == ChannelStatistics(0.0, 0.0, 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_single_non_zero_pixel_is_the_percentile(dtype: str) -> None:
    image = np.zeros((9, 5), dtype)
    image[4, 2] = 7
    assert statistics(image) == ChannelStatistics(7.0, 0.0, 7.0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_constant_channel_has_equal_limits(dtype: str) -> None:
    assert statistics(np.full((9, 5), 3, dtype)) == ChannelStatistics(3.0, 3.0, 3.0)


def test_integer_percentile_is_truncated() -> None:
    image = np.arange(1, 1501, dtype=np.uint16).reshape(30, 50)
    assert np.percentile(image, 99.9) == pytest.approx(1498.501)
    assert statistics(image).clip == 1498.0


def test_negative_values_alone_pull_zeros_down() -> None:
    image = np.array([[-5, -3, 0]], np.int16)
    assert statistics(image) == ChannelStatistics(-3.0, -5.0, -3.0)


def test_negative_zero_counts_as_zero() -> None:
    image = np.array([[-0.0, 0.0, 2.0]], np.float32)
    assert statistics(image) == ChannelStatistics(2.0, 0.0, 2.0)


def test_not_finite_pixels_are_refused_with_their_numbers() -> None:
    image = np.ones((4, 4), np.float32)
    image[0, :2] = np.nan
    image[1, 0] = -np.inf
    with pytest.raises(ImageError, match=r"2 pixels are not a number .* and 1 are infinite.*[Rr]eplace"):
        statistics(image, (4, 4))
    with pytest.raises(ImageError, match="not a number"):
        value_range(mapper(reader(image), image.shape, (2, 2)), image.dtype)


def test_a_range_beyond_float32_is_refused() -> None:
    with pytest.raises(ImageError, match=r"range from -3e\+300 to .*e\+299; expected .*float32"):
        statistics(np.array([[-3e300, 1e300]]))
    with pytest.raises(ImageError, match="expected a range that float32 can hold"):
        statistics(np.array([[-3e38, 3e38]], np.float32))


@pytest.mark.parametrize("dtype", ["int64", "uint64", "bool", "complex64", "float16"])
def test_other_types_are_refused(dtype: str) -> None:
    with pytest.raises(ImageError, match=f"{dtype}.*expected"):
        statistics(np.zeros((2, 2), dtype))


@given(images())
@settings(max_examples=30)
def test_value_range_is_that_of_all_blocks(image: NDArray[Any]) -> None:
    assert value_range(mapper(reader(image), image.shape, (7, 3)), image.dtype) == (image.min(), image.max())
