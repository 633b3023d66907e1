"""What is kept in files comes back, gives its memory back, and a full disk is an error, not a killed process."""

import os
import sys
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from cellscale.cells import scratch_arrays
from cellscale.cells.outline.packed_outlines import Records
from cellscale.cells.scratch_arrays import Scratch
from cellscale.errors import StorageError

VALUES = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)


@pytest.mark.parametrize("small", [0, 2**16], ids=["file", "memory"])
@pytest.mark.parametrize("reserving", [os, SimpleNamespace()])
def test_rows_written_in_any_order_come_back(tmp_path, monkeypatch, reserving, small):
    monkeypatch.setattr(scratch_arrays, "_SMALL", small)
    monkeypatch.setattr(scratch_arrays, "os", reserving)
    monkeypatch.setattr(scratch_arrays, "_PIECE", 100)
    with Scratch(tmp_path) as scratch:
        rows = scratch.zeros(VALUES.shape, np.float32)
        assert not rows.any()
        for part in np.array_split(np.random.default_rng(1).permutation(len(VALUES)), 4):
            rows[part] = VALUES[part]
            scratch.release()
        np.testing.assert_array_equal(rows, VALUES)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("small", [0, 500, 2**16], ids=["file", "both", "memory"])
def test_pieces_come_back_as_one(tmp_path, monkeypatch, small):
    monkeypatch.setattr(scratch_arrays, "_SMALL", small)
    with Scratch(tmp_path) as scratch:
        whole = scratch.stored((VALUES[:, 0], VALUES[:0, 0], VALUES[:, 1]), np.float64)
        np.testing.assert_array_equal(whole, np.concatenate([VALUES[:, 0], VALUES[:, 1]]))
        assert whole.dtype == np.float64
        whole[:] = 0
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="memory of mapped files is left to the system there")
def test_released_arrays_take_no_memory():
    process = psutil.Process()
    with Scratch() as scratch:
        before = process.memory_info().rss
        array = scratch.zeros((2**24,), np.float64)
        array[:] = 1
        assert process.memory_info().rss - before > 100 * 2**20
        scratch.release()
        assert process.memory_info().rss - before < 20 * 2**20
        assert (array == 1).all()


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
def test_nothing_takes_no_room(shape):
    with Scratch() as scratch:
        assert scratch.zeros(shape, np.float32).shape == shape
        assert scratch.stored([], np.int64).shape == (0,)


def test_a_full_disk_is_refused_before_anything_is_mapped(small_disk):
    disk = small_disk(2**20)
    with pytest.raises(StorageError, match="the disk is full"):
        Scratch(disk).zeros((1000, 1000), np.float32)
    assert not list(disk.iterdir())


def test_what_does_not_fit_is_an_error(small_disk):
    with Scratch(small_disk(2**20)) as scratch:
        records = scratch.records(1)
        with pytest.raises(StorageError, match="the disk is full"):
            records.write(np.array([0]), Records(np.ones(10**6, np.int32), np.array([0, 10**6])))
        with pytest.raises(StorageError, match="the disk is full"):
            scratch.stored([np.ones(10**6)], np.float64)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="does not exist"):
        Scratch(tmp_path / "gone").zeros((1000, 1000), np.float32)
    with pytest.raises(StorageError, match="does not exist"):
        Scratch(tmp_path / "gone").counted(100_000)
