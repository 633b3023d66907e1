"""Smoothing a region equals smoothing the whole image."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from cellscale.label.kernels.smoothing import kernel_radius, smooth
from cellscale.regions import Region


@settings(max_examples=100)
@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    sigma=st.sampled_from([0, 0.1, 0.5, 1, 2, 3.3]),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_any_region_equals_scipys_whole_image(shape, sigma, seed, data):
    values = np.random.default_rng(seed).random(shape).astype(np.float32)
    top, left = data.draw(st.integers(0, shape[0] - 1)), data.draw(st.integers(0, shape[1] - 1))
    region = Region(top, left, data.draw(st.integers(top + 1, shape[0])), data.draw(st.integers(left + 1, shape[1])))
    outer = region.grown(kernel_radius(sigma), shape)
    smoothed = smooth(values[outer.slices], sigma, region, outer)
    assert smoothed.dtype == np.float32
    np.testing.assert_array_equal(smoothed, gaussian_filter(values, sigma)[region.slices])
