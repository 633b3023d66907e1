"""Object ids are of an image and of an object's own pixels, and of nothing else."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given

from cellscale.cells.matching import Matching
from cellscale.cells.object_ids import image_identity, object_ids, outline_keys, together, vertex_keys
from tests.cells.scenes import blobs, label_masks, measured, traced


def ids(cells, nuclei, **options):
    """Return the id of each pair of a cell and a nucleus."""
    with measured(np.asarray(cells), None if nuclei is None else np.asarray(nuclei), **options) as measurement:
        rows = np.arange(len(measurement))
        labels = zip(*map(np.ndarray.tolist, measurement.labels(rows)), strict=True)
        return dict(zip(labels, measurement.ids(rows).tolist(), strict=True))


def test_ids_are_uuids_and_never_change():
    keys = outline_keys(traced(np.array([[1, 1, 0, 2], [1, 0, 2, 0]])))
    found = object_ids(image_identity("image", b"pixels"), keys)
    assert found.tolist() == [
        b"abb97913-5537-8f32-870e-187a29e95924",
        b"0c96ccf6-01e3-8556-b475-8cc14345f50f",
    ]
    assert [UUID(identity.decode()).version for identity in found] == [8, 8]
    assert all(str(UUID(identity.decode())).encode() == identity for identity in found)


@pytest.mark.slow
@given(label_masks(6, 2), label_masks(6, 2))
def test_keys_are_equal_where_pixels_are(one, other):
    for mask in (one, other):
        keys, labels = outline_keys(traced(mask)), np.unique(mask[mask > 0])
        for key, label in zip(keys, labels, strict=True):
            same = mask.shape == one.shape and ((mask == label) == (one == 1)).all()
            first = outline_keys(traced(one))[:1]
            if (one == 1).any() and mask.shape == one.shape:
                assert (key == first[0]).all() == same


def test_keys_do_not_depend_on_where_rings_begin():
    square = np.array([[0, 0], [0, 2], [2, 2], [2, 0]], dtype=np.int32)
    turned = np.concatenate([square[2:], square[:2]])
    keys = vertex_keys(np.concatenate([square, turned, square + 1]), np.array([0, 4, 8, 12]))
    assert (keys[0] == keys[1]).all()
    assert (keys[0] != keys[2]).all()


def test_a_pair_of_outlines_differs_from_both():
    keys = vertex_keys(np.arange(24, dtype=np.int32).reshape(12, 2), np.array([0, 4, 8, 12]))
    pairs = np.concatenate([keys, together(keys, keys[::-1]), together(keys[:1], keys[1:2])])
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_an_id_does_not_move_to_another_cell():
    cells, nuclei = blobs((60, 80), 5)
    before = ids(cells, nuclei)
    renumbered = np.where(cells > 1, cells - 1, 0)
    after = ids(renumbered, nuclei)
    assert len(after) == len(before) - (cells == 1).any()
    for (cell, _), identity in after.items():
        assert identity == next(old for (label, _), old in before.items() if label == cell + 1)


def test_a_cell_keeps_its_id_with_another_nucleus_and_alone():
    cells, nuclei = blobs((60, 80), 5)
    expected = {cell: identity for (cell, _), identity in ids(cells, nuclei).items()}
    assert {cell: identity for (cell, _), identity in ids(cells, nuclei[::-1]).items()} == expected
    assert {cell: identity for (cell, _), identity in ids(cells, None).items()} == expected


def test_two_objects_of_one_cell_have_ids_of_their_own():
    cells, nuclei = np.ones((3, 6), dtype=np.int32), np.zeros((3, 6), dtype=np.int32)
    nuclei[1, 1], nuclei[1, 3:5] = 2, 1
    found = ids(cells, nuclei, matching=Matching.QUPATH_INITIALIZER)
    assert len(set(found.values())) == 2
    swapped = ids(cells, np.choose(nuclei, [0, 2, 1]), matching=Matching.QUPATH_INITIALIZER)
    assert found[1, 1] == swapped[1, 2]
    assert ids(cells, nuclei)[1, 1] == found[1, 1], "the object with the largest nucleus is the cell itself"


@pytest.mark.parametrize("other", [{"image_name": "b"}, {"image_pixels": b"other"}])
def test_ids_of_other_images_differ(other):
    cells, nuclei = blobs((60, 80), 5)
    assert not set(ids(cells, nuclei).values()) & set(ids(cells, nuclei, **other).values())
