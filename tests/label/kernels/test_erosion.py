"""Eroded labels are those of scikit-image's inner boundaries taken away, again and again."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import find_boundaries

from cellscale.label.kernels.erosion import eroded


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32), width=st.integers(0, 5), side=st.integers(1, 40), size=st.integers(1, 12))
def test_edges_go_as_by_scikit_image(seed, width, side, size):
    random = np.random.default_rng(seed)
    labels = np.kron(random.integers(0, 4, (side, side)), np.ones((size, size), np.int32)).astype(np.int32)[:60, :60]
    expected = labels.copy()
    for _ in range(width):
        expected[find_boundaries(expected, mode="inner")] = 0
    np.testing.assert_array_equal(eroded(labels, width), expected)


def test_the_edge_of_the_image_takes_nothing_away():
    labels = np.ones((3, 4), np.int32)
    np.testing.assert_array_equal(eroded(labels, 5), labels)
