"""Pixels are sorted by value, whatever the values."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cellscale.label.kernels.pixel_sort import sorted_pixels

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(max_examples=100)
@given(
    values=npst.arrays(np.float32, st.integers(0, 60), elements=st.one_of(FLOATS, st.sampled_from([0.0, -0.0, 0.5]))),
    data=st.data(),
)
def test_pixels_are_sorted_by_descending_value_and_ascending_index(values, data):
    labels = data.draw(npst.arrays(np.int32, values.size, elements=st.integers(-1, 1)))
    packed = sorted_pixels(values, labels, -1)
    pixels = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    included = np.flatnonzero(labels != -1)
    np.testing.assert_array_equal(pixels, included[np.argsort(-values[included], kind="stable")])
    keys = packed >> np.uint64(32)
    np.testing.assert_array_equal(np.diff(keys) == 0, np.diff(values[pixels]) == 0)


def test_many_pixels_are_sorted_over_the_whole_range_of_floats():
    random = np.random.default_rng(0)
    values = (random.standard_normal(20_000) * 10.0 ** random.integers(-30, 30, 20_000)).astype(np.float32)
    packed = sorted_pixels(values, np.zeros(values.size, np.int32), -1)
    pixels = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    np.testing.assert_array_equal(pixels, np.argsort(-values, kind="stable"))
