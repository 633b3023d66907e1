"""Masks that are no labels of single cells are told by their connected parts; masks of cells never are."""

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from cellscale.cells.passes.connected_parts import count_parts, numbered_parts
from cellscale.cells.passes.label_kinds import check_kind
from cellscale.cells.scattered import scattered_texts
from cellscale.cells.scratch_arrays import Scratch
from cellscale.errors import MaskError
from tests.cells.scenes import blobs, label_masks, measured
from tests.cells.test_label_table import surveyed

TOUCHING = np.ones((3, 3))


def checked(labels, name="whole-cell", block=(128, 100)):
    labels = np.asarray(labels, np.uint32)
    check_kind(surveyed(labels, labels, block).cells, name, labels.shape, Scratch())


def cells_in_rows(across=20, pitch=16, size=10):
    """Return square cells, numbered row by row, in an image whose sides are shorter than 1,024 pixels."""
    labels = np.zeros((across * pitch, across * pitch), np.int64)
    for number in range(across * across):
        top, left = number // across * pitch, number % across * pitch
        labels[top : top + size, left : left + size] = number + 1
    return labels


@given(label_masks(), st.lists(st.integers(0, 14), max_size=3))
def test_parts_are_those_of_scipy_however_the_mask_is_cut(mask, cuts):
    expected = sum(ndimage.label(mask == label, TOUCHING)[1] for label in np.unique(mask[mask > 0]))
    assert count_parts(mask) == expected
    bands = np.split(mask.astype(np.int32), sorted(min(cut, len(mask)) for cut in cuts))
    numbers = np.concatenate(list(numbered_parts(lambda: bands, "mask")))
    assert set(np.unique(numbers)) == set(range(expected + 1)) - ({0} if mask.all() else set())
    np.testing.assert_array_equal(numbers > 0, mask > 0)
    for label in np.unique(mask[mask > 0]):
        parts, count = ndimage.label(mask == label, TOUCHING)
        assert all(len(np.unique(numbers[parts == part])) == 1 for part in range(1, count + 1))


@pytest.mark.parametrize("white", [1, 255, 65_535])
def test_one_number_for_all_cells_is_refused_with_the_cure(white):
    with pytest.raises(MaskError, match=r"1 label in 400 connected parts or more .*nucleus mask.*--relabel"):
        checked((cells_in_rows() > 0) * white, "nucleus", block=(512, 512))


def test_two_nuclei_of_a_mask_of_0_and_255_are_enough():
    labels = np.zeros((40, 40))
    labels[5:10, 5:10] = labels[20:25, 20:25] = 255
    with pytest.raises(MaskError, match="1 label in 2 connected parts"):
        checked(labels)
    checked(labels // 255)


@pytest.mark.parametrize("across", [18, 20, 30])
def test_labels_of_small_images_that_were_saved_in_8_bits_are_refused(across):
    with pytest.raises(MaskError, match=r"255 labels .* 8 bits.*--relabel"):
        checked(cells_in_rows(across) % 256)
    with pytest.raises(MaskError, match=r"255 labels .* 8 bits"):
        checked(np.minimum(cells_in_rows(across), 255))


def test_a_map_of_kinds_is_refused():
    with pytest.raises(MaskError, match=r"5 labels in \d+ connected parts or more .* kinds"):
        checked(np.where(cells_in_rows() > 0, cells_in_rows() % 5 + 1, 0))


@pytest.mark.parametrize(("high", "dtype"), [(200, np.uint8), (4000, np.uint16), (60_000, np.uint16)])
def test_a_picture_is_refused(high, dtype):
    noise = np.random.default_rng(0).random((200, 300))
    for sigma in (0, 2):
        smooth = ndimage.gaussian_filter(noise, sigma)
        with pytest.raises(MaskError, match="picture"):
            checked((smooth / smooth.max() * high).astype(dtype))


@pytest.mark.parametrize("count", [1, 3, 200])
def test_cells_are_no_reason_whatever_they_hide(count):
    for mask in blobs((200, 300), 3, count=count):
        checked(mask)


def test_exactly_255_cells_are_no_reason_though_some_are_in_pieces():
    labels = cells_in_rows()
    labels[labels > 255] = 0
    labels[:, 3::16] = np.where(labels[:, 3::16] % 5 == 0, 0, labels[:, 3::16])
    assert surveyed(labels.astype(np.uint32), labels.astype(np.uint32)).cells.further_parts > 40
    checked(labels)


def test_an_outlined_tissue_with_specks_is_no_reason():
    ragged = ndimage.gaussian_filter(np.random.default_rng(1).random((300, 400)), 20) > 0.5
    assert 1 < ndimage.label(ragged, TOUCHING)[1] < 8
    checked(ragged)


def test_a_label_as_large_as_the_image_is_one_part_however_it_is_cut():
    checked(np.ones((1000, 1000)))


def test_pixels_without_neighbours_are_cells():
    labels = np.zeros((300, 300))
    labels[::10, ::10] = np.arange(1, 901).reshape(30, 30)
    checked(labels)


def test_masks_that_qupath_read_and_reference_masks_pass(shared):
    masks = [tifffile.imread(path) for path in sorted((shared / "qupath/golden").glob("*/SEGMASK/*Mask.tiff"))]
    for path in sorted((shared / "data/golden").glob("*.npz")):
        with np.load(path) as arrays:
            labelled = [array for name, array in arrays.items() if name.startswith("label")]
        masks += [plane for array in labelled for plane in np.squeeze(array).reshape(-1, *array.shape[-2:])]
    assert len(masks) >= 13
    for mask in masks:
        checked(mask)


def test_a_label_in_far_places_is_told_of():
    labels = cells_in_rows()
    labels[labels == 1] = labels[labels == 390] = 7
    with measured(labels.astype(np.uint32), None) as measurement:
        (text,) = scattered_texts(measurement)
    assert text.startswith("1 of the 398 labels of the whole-cell mask lie in several places")
    assert "label 7: 314 x 154 pixels" in text
    assert "--relabel" in text


def test_halves_side_by_side_and_long_threads_are_not_told_of():
    labels = cells_in_rows().astype(np.uint32)
    labels[labels == 2] = 1
    labels[170:173] = 0
    labels[171] = 999
    with measured(labels, labels) as measurement:
        assert scattered_texts(measurement) == ()
