"""Stable object ids."""

from uuid import UUID

import numpy as np

from cellscale.cells.object_ids import object_ids


def test_ids_are_uuids_and_never_change():
    found = object_ids("image", np.array([1, 2]), np.array([0, 7]))
    assert found.tolist() == [
        b"685c5d96-d0cd-8c0c-9db8-d42d26b64417",
        b"4c95d062-0fa9-818d-93e0-daf7ddd67d98",
    ]
    assert [UUID(identity.decode()).version for identity in found] == [8, 8]
    assert all(str(UUID(identity.decode())).encode() == identity for identity in found)


def test_ids_of_all_pairs_differ():
    cells, nuclei = map(np.ravel, np.meshgrid(np.arange(300), np.arange(300)))
    assert len(np.unique(object_ids("image", cells, nuclei))) == 90_000


def test_ids_of_images_differ():
    labels = np.arange(1000)
    assert not set(object_ids("a", labels, labels)) & set(object_ids("b", labels, labels))
