"""Grown labels are those of scikit-image on the whole image, ties included, in any part that sees far enough."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import expand_labels

from cellscale.label.kernels.expansion import grown
from cellscale.regions import Region, blocks

RADII = (0, 0.5, 1, 1.4, math.sqrt(2), 2, math.sqrt(5), 2.9, 3, 5, 6.5, 12, 80)


@st.composite
def label_images(draw):
    """Few labels, many, or none; single pixels, so that many are equally near, and rectangles."""
    shape = draw(st.integers(1, 50)), draw(st.integers(1, 50))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = np.where(random.random(shape) < draw(st.sampled_from([0, 0.01, 0.05, 0.3, 1])), 1, 0)
    labels *= random.integers(1, 10_000, shape)
    for label in range(draw(st.integers(0, 4))):
        top, left = random.integers(shape[0]), random.integers(shape[1])
        labels[top : top + random.integers(1, 9), left : left + random.integers(1, 9)] = 20_000 + label
    return labels.astype(np.int32)


@settings(max_examples=200)
@given(labels=label_images(), radius=st.sampled_from(RADII))
def test_labels_grow_as_by_scikit_image(labels, radius):
    np.testing.assert_array_equal(grown(labels, radius), expand_labels(labels, radius))


@settings(max_examples=60)
@given(labels=label_images(), radius=st.sampled_from(RADII), side=st.integers(3, 30))
def test_a_part_that_sees_as_far_as_labels_grow_is_that_of_the_whole(labels, radius, side):
    expected = expand_labels(labels, radius)
    for core in blocks(labels.shape, (side, side)):
        seen = core.grown(math.floor(radius), labels.shape)
        part = grown(np.ascontiguousarray(labels[seen.slices]), radius)
        np.testing.assert_array_equal(part[core.within(seen)], expected[core.slices])


def test_background_of_an_image_without_objects_stays():
    assert not grown(np.zeros((4, 5), np.int32), 3).any()
    assert Region(0, 0, 4, 5).shape == grown(np.zeros((4, 5), np.int32), 3).shape
