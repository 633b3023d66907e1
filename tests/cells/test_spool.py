"""Intermediate files: rows and outlines come back, and a full disk is an error, not a killed process."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from cellscale.cells import spool
from cellscale.cells.records import Records
from cellscale.cells.spool import RecordSpool, RowSpool
from cellscale.errors import StorageError

VALUES = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)


@pytest.mark.parametrize("reserving", [os, SimpleNamespace()])
def test_rows_written_in_any_order_come_back(tmp_path, monkeypatch, reserving):
    monkeypatch.setattr(spool, "os", reserving)
    monkeypatch.setattr(spool, "_PIECE", 100)
    rows = RowSpool(VALUES.shape, tmp_path)
    order = np.random.default_rng(1).permutation(len(VALUES))
    for part in np.array_split(order, 4):
        rows.write(part, VALUES[part])
    np.testing.assert_array_equal(rows.read(10, 33), VALUES[10:33])
    rows.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
def test_nothing_takes_no_room(tmp_path, shape):
    rows = RowSpool(shape, tmp_path)
    rows.write(np.arange(shape[0]), np.empty(shape, np.float32))
    assert rows.read(0, shape[0]).shape == shape
    rows.close()


def test_a_full_disk_is_refused_before_anything_is_mapped(small_disk):
    disk = small_disk(2**20)
    with pytest.raises(StorageError, match="the disk is full"):
        RowSpool((1000, 1000), disk)
    assert not list(disk.iterdir())


def test_outlines_that_do_not_fit_are_an_error(small_disk):
    records = RecordSpool(1, small_disk(2**20))
    with pytest.raises(StorageError, match="the disk is full"):
        records.write(np.array([0]), Records(np.ones(10**6, np.int32), np.array([0, 10**6])))
    records.close()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="does not exist"):
        RowSpool((1, 1), tmp_path / "gone")
