"""Pictures are composed as people expect them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.color import rgb2lab
from skimage.segmentation import find_boundaries

from cellscale.regions import Region, blocks
from cellscale.report.pictures.picture import MEMBRANES, NUCLEI, Contrast, compose, contrast_of, draw, outlines

LABELS = arrays(np.int32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3))


def reader(labels):
    return lambda region: labels[region.slices]


@given(labels=LABELS)
def test_outlines_are_the_inner_boundaries(labels):
    whole = Region(0, 0, *labels.shape)
    found = outlines(reader(labels), whole, labels.shape)
    expected = find_boundaries(labels, connectivity=1, mode="inner")
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=30)
@given(labels=LABELS, step=st.integers(1, 5))
def test_outlines_do_not_depend_on_how_the_image_is_cut(labels, step):
    whole = outlines(reader(labels), Region(0, 0, *labels.shape), labels.shape)
    for part in blocks(labels.shape, (step, step)):
        np.testing.assert_array_equal(outlines(reader(labels), part, labels.shape), whole[part.slices])


def test_the_nucleus_is_blue_and_the_membrane_green():
    nucleus, membrane = np.float32([[1, 0, 1, 0]]), np.float32([[0, 1, 1, 0]])
    assert compose(nucleus, membrane).tolist() == [[[70, 130, 255], [110, 220, 60], [180, 255, 255], [0, 0, 0]]]


SEEN = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What linear RGB becomes for people who lack one kind of cone: Machado, Oliveira and Fernandes, 2009, severity 1."""


@pytest.mark.parametrize("kind", SEEN)
def test_everybody_tells_nuclei_from_membranes_and_both_from_black(kind):
    linear = (np.array([NUCLEI, MEMBRANES, (0, 0, 0)]) / 255) ** 2.2
    seen = np.clip(linear @ np.array(SEEN[kind]).T, 0, 1) ** (1 / 2.2)
    lab = rgb2lab(seen[None])[0]
    nuclei, membranes, black = lab
    assert np.linalg.norm(nuclei - membranes) > 25  # 2 can just be told apart
    assert min(nuclei[0], membranes[0]) - black[0] > 40


def test_contrast_leaves_zeros_and_outliers_aside():
    plane = np.zeros(10_000)
    plane[:2000] = np.linspace(100, 200, 2000)
    plane[0] = 1e6
    contrast = contrast_of([plane])
    assert 100 < contrast.low < 110
    assert 190 < contrast.high < 200
    assert contrast.stretched(np.array([0, 105, 150, 1e6])).tolist()[::3] == [0, 1]


def test_a_blank_or_broken_channel_is_black_not_an_error():
    for plane in (np.zeros((3, 3)), np.full((3, 3), np.nan), np.full((3, 3), 7)):
        contrast = contrast_of([plane])
        assert contrast.stretched(np.zeros((2, 2))).max() == 0


def test_values_that_are_not_finite_have_a_brightness():
    shown = Contrast(0, 1).stretched(np.array([np.nan, np.inf, -np.inf, 1e300]))
    assert shown.tolist() == [0, 1, 0, 1]


def test_a_colour_covers_by_its_share():
    picture = np.full((1, 3, 3), 100, np.uint8)
    drawn = draw(picture, np.array([[0, 0.5, 1]]), (200, 0, 100))
    assert drawn.tolist() == [[[100, 100, 100], [150, 50, 100], [200, 0, 100]]]
    assert (picture == 100).all()
