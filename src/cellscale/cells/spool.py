"""Keep large intermediate arrays out of memory, in files without a name that vanish with the process."""

import os
import tempfile
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.records import Records
from cellscale.storage.errors import explained

__all__ = ["RecordSpool", "RowSpool"]

_PIECE = 1 << 20


class RowSpool:
    """A float32 matrix, written in any order of rows and read by range.

    Parameters
    ----------
    shape
        Rows and columns.
    folder
        Where the file lies; None for the system's folder of temporary files.

    Raises
    ------
    StorageError
        The disk is full, or the folder is missing or read-only.
    """

    def __init__(self, shape: tuple[int, int], folder: Path | None) -> None:
        self.shape = shape
        with _writing(folder), ExitStack() as opened:
            self._file = opened.enter_context(tempfile.TemporaryFile(dir=folder))
            _reserve(self._file, 4 * shape[0] * shape[1])
            opened.pop_all()

    def write(self, rows: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Set the rows of these indices."""
        if values.size:
            _mapped(self._file, np.float32, self.shape)[rows] = values

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the rows from ``start`` to ``stop - 1``."""
        if 0 in self.shape:
            return np.empty((stop - start, self.shape[1]), dtype=np.float32)
        return np.array(_mapped(self._file, np.float32, self.shape)[start:stop])

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


class RecordSpool:
    """Outlines of the objects of a mask, written and read in any order.

    Parameters
    ----------
    count
        Number of objects.
    folder
        Where the file lies; None for the system's folder of temporary files.

    Raises
    ------
    StorageError
        The folder is missing or read-only.
    """

    def __init__(self, count: int, folder: Path | None) -> None:
        self._folder = folder
        with _writing(folder):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        self._starts = np.zeros(count, dtype=np.int64)
        self._lengths = np.zeros(count, dtype=np.int64)
        self._size = 0

    def write(self, rows: NDArray[np.int64], records: Records) -> None:
        """Keep the outlines of the objects of these indices.

        Raises
        ------
        StorageError
            The disk is full.
        """
        self._starts[rows] = records.offsets[:-1] + self._size
        self._lengths[rows] = np.diff(records.offsets)
        with _writing(self._folder):
            self._file.seek(4 * self._size)
            self._file.write(records.data.data)
            self._file.flush()
        self._size += len(records.data)

    def read(self, rows: NDArray[np.int64]) -> Records:
        """Return the outlines of the objects of these indices, in their order."""
        lengths = self._lengths[rows]
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        if not offsets[-1]:
            return Records(np.empty(0, dtype=np.int32), offsets)
        data = _mapped(self._file, np.int32, (self._size,))
        places = np.repeat(self._starts[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Records(np.asarray(data[places]), offsets)

    def close(self) -> None:
        """Delete the file."""
        with suppress(OSError):  # closing flushes, which fails again on a full disk
            self._file.close()


def _writing(folder: Path | None) -> AbstractContextManager[None]:
    """Explain what goes wrong with the file inside the ``with`` block."""
    return explained("write a scratch file in", folder or tempfile.gettempdir())


def _reserve(file: IO[bytes], size: int) -> None:
    """Give a file its size and its room on the disk: a mapped file that has none kills the process when written."""
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    for start in range(0, size, _PIECE):
        file.write(bytes(min(_PIECE, size - start)))
    file.flush()


def _mapped(file: Any, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    """Map a file for a moment: pages of a mapping that is kept count as memory of the process."""
    return np.memmap(file, dtype=dtype, mode="r+", shape=shape)
