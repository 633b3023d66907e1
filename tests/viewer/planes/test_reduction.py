"""Smaller planes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellscale.viewer.planes.reduction import fitted, mean_reduced, nearest_reduced

SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20))


@given(arrays(np.uint16, SHAPES), st.sampled_from([1, 2, 4, 8]))
def test_means_are_those_of_squares_with_the_edge_repeated(plane, ratio):
    reduced = mean_reduced(plane, ratio)
    height, width = (-(-size // ratio) for size in plane.shape)
    whole = np.pad(plane, [(0, -size % ratio) for size in plane.shape], mode="edge").astype(float)
    means = whole.reshape(height, ratio, width, ratio).mean(axis=(1, 3))
    assert reduced.dtype == plane.dtype
    np.testing.assert_allclose(reduced, means, atol=0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.uint32, np.float32])
@pytest.mark.parametrize("ratio", [2, 256])
def test_no_type_overflows(dtype, ratio):
    limits = np.finfo(dtype) if np.dtype(dtype).kind == "f" else np.iinfo(dtype)
    for value in (limits.min, limits.max):
        np.testing.assert_array_equal(mean_reduced(np.full((ratio, ratio), value, dtype), ratio), [[value]])


@given(arrays(np.int32, SHAPES), st.sampled_from([1, 2, 4]))
def test_labels_are_only_taken_over(plane, ratio):
    np.testing.assert_array_equal(nearest_reduced(plane, ratio), plane[::ratio, ::ratio])


@given(arrays(np.uint8, SHAPES), SHAPES)
def test_fitting_cuts_or_repeats_the_edge(plane, shape):
    result = fitted(plane, shape)
    assert result.shape == shape
    rows, columns = (np.minimum(np.arange(wanted), size - 1) for wanted, size in zip(shape, plane.shape, strict=True))
    np.testing.assert_array_equal(result, plane[np.ix_(rows, columns)])
