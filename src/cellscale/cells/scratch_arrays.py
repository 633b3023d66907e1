"""Keep what grows with the number of objects out of memory, in files without a name that vanish with the process.

What is small stays in memory.
"""

import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cellscale.cells.outline.packed_outlines import Records
from cellscale.storage.storage_errors import explained

__all__ = ["GrowingArray", "RecordSpool", "Scratch"]

_PIECE = 1 << 20
_ROWS = 1 << 18
_SMALL = 1 << 16
"""Bytes of an array up to which it stays in memory; a small image would make dozens of files of some kilobytes."""


class Scratch:
    """Arrays in files, whose parts come into memory when they are touched; a context manager.

    Pages that were touched count as memory of the process until :meth:`release` is called, which costs little: what
    is touched again comes from the system's cache of files.

    Parameters
    ----------
    folder
        Where the files lie; None for the system's folder of temporary files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._maps: list[mmap.mmap] = []
        self._files = ExitStack()

    def __enter__(self) -> "Scratch":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go of the files."""
        self.close()

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return a new array of zeros.

        Raises
        ------
        StorageError
            The disk is full, or the folder is missing or read-only.
        """
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if size <= _SMALL:
            return np.zeros(shape, dtype)
        with _writing(self._folder), tempfile.TemporaryFile(dir=self._folder) as file:
            _reserve(file, size)
            return self.mapped(file, size, dtype).reshape(shape)

    def growing(self, dtype: DTypeLike) -> "GrowingArray":
        """Return an array of one dimension that is filled from its beginning to its end."""
        array = GrowingArray(self, self._folder, np.dtype(dtype))
        self._files.callback(array.close)
        return array

    def stored(self, pieces: Iterable[NDArray[Any]], dtype: DTypeLike) -> NDArray[Any]:
        """Return pieces one after another as one array of one dimension.

        Raises
        ------
        StorageError
            The disk is full, or the folder is missing or read-only.
        """
        whole = self.growing(dtype)
        for piece in pieces:
            whole.append(piece)
        return whole.array()

    def counted(self, count: int) -> NDArray[np.int64]:
        """Return the numbers below ``count``."""
        return self.stored((np.arange(part.start, part.stop) for part in self.parts(count)), np.int64)

    def filled(self, count: int, value: int) -> NDArray[np.int64]:
        """Return ``count`` times the same number."""
        return self.stored((np.full(part.stop - part.start, value) for part in self.parts(count)), np.int64)

    def parts(self, count: int) -> Iterator[slice]:
        """Yield the rows of arrays in parts that fit in memory, and give back the memory after each."""
        for start in range(0, count, _ROWS):
            yield slice(start, min(start + _ROWS, count))
            self.release()

    def release(self) -> None:
        """Give back the memory that parts of the arrays take; their content stays."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for pages in self._maps:
                pages.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Let go of the files; their room on the disk is free as soon as nobody has the arrays any more."""
        self._maps.clear()
        self._files.close()

    def records(self, count: int) -> "RecordSpool":
        """Return a place for the outlines of ``count`` objects."""
        records = RecordSpool(self, count, self._folder)
        self._files.callback(records.close)
        return records

    def mapped(self, file: IO[bytes], size: int, dtype: DTypeLike) -> NDArray[Any]:
        """Return the content of a file, of ``size`` bytes, as an array; the file may be closed then."""
        if not size:
            return np.zeros(0, dtype)
        pages = mmap.mmap(file.fileno(), size)
        self._maps.append(pages)
        return np.frombuffer(pages, dtype)


class GrowingArray:
    """An array that is written piece by piece, and then read.

    Parameters
    ----------
    scratch
        Gives back the memory of what is read.
    folder
        Where the file lies; None for the system's folder of temporary files.
    dtype
        Of the elements.
    """

    def __init__(self, scratch: Scratch, folder: Path | None, dtype: np.dtype[Any]) -> None:
        self._scratch = scratch
        self._folder = folder
        self._dtype = dtype
        self._size = 0
        self._small = bytearray()
        self._file: IO[bytes] | None = None

    def append(self, piece: NDArray[Any]) -> None:
        """Write the next elements.

        Raises
        ------
        StorageError
            The disk is full, or the folder is missing or read-only.
        """
        if not len(piece):
            return
        content = np.ascontiguousarray(piece, self._dtype).data.cast("B")
        self._size += len(content)
        if self._size <= _SMALL:
            self._small += content
            return
        with _writing(self._folder):
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by close()
                self._file.write(self._small)
                self._small.clear()
            self._file.write(content)
            self._file.flush()

    def array(self) -> NDArray[Any]:
        """Return all elements; nothing can be appended any more."""
        if self._file is None:
            return np.frombuffer(self._small, self._dtype)
        with self._file:
            return self._scratch.mapped(self._file, self._size, self._dtype)

    def close(self) -> None:
        """Delete the file, unless it has become an array."""
        if self._file is not None:
            with suppress(OSError):  # closing flushes, which fails again on a full disk
                self._file.close()


class RecordSpool:
    """Outlines of the objects of a mask, written and read in any order.

    Parameters
    ----------
    scratch
        Gives back the memory of what is read.
    count
        Number of objects.
    folder
        Where the file lies; None for the system's folder of temporary files.

    Raises
    ------
    StorageError
        The folder is missing or read-only.
    """

    def __init__(self, scratch: Scratch, count: int, folder: Path | None) -> None:
        self._scratch = scratch
        self._folder = folder
        self._places: NDArray[np.int64] = scratch.zeros((count, 2), np.int64)
        self._data: NDArray[np.int32] = np.empty(0, np.int32)
        self._size = 0
        with _writing(folder):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()

    def write(self, rows: NDArray[np.int64], records: Records) -> None:
        """Keep the outlines of the objects of these indices.

        Raises
        ------
        StorageError
            The disk is full.
        """
        self._places[rows, 0] = records.offsets[:-1] + self._size
        self._places[rows, 1] = np.diff(records.offsets)
        with _writing(self._folder):
            self._file.seek(4 * self._size)
            self._file.write(records.data.data)
            self._file.flush()
        self._size += len(records.data)

    def read(self, rows: NDArray[np.int64]) -> Records:
        """Return the outlines of the objects of these indices, in their order."""
        starts, lengths = self._places[rows].T
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        if not offsets[-1]:
            return Records(np.empty(0, dtype=np.int32), offsets)
        if len(self._data) < self._size:
            self._data = self._scratch.mapped(self._file, 4 * self._size, np.int32)
        places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Records(self._data[places], offsets)

    def close(self) -> None:
        """Delete the file."""
        with suppress(OSError):  # as above
            self._file.close()


def _writing(folder: Path | None) -> AbstractContextManager[None]:
    """Explain what goes wrong with the file inside the ``with`` block."""
    return explained("write a scratch file in", folder or tempfile.gettempdir())


def _reserve(file: IO[bytes], size: int) -> None:
    """Give a file its size and its room on the disk: a mapped file that has none kills the process when written."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    for start in range(0, size, _PIECE):
        file.write(bytes(min(_PIECE, size - start)))
    file.flush()
