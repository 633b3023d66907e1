"""Rows of bytes of different lengths, and how they are joined row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.text.decimal_text import Texts
from cellscale.compiled import kernel

__all__ = ["Rows", "copy_rows", "joined_rows"]


@dataclass(frozen=True, slots=True)
class Rows:
    """A run of bytes for each object."""

    data: NDArray[np.uint8]
    """Holds the bytes of all rows, ``(bytes,)``."""

    starts: NDArray[np.int64]
    """Where each row begins in ``data``, ``(n,)``."""

    lengths: NDArray[np.int64]
    """Bytes of each row, ``(n,)``."""

    @classmethod
    def of_array(cls, values: NDArray[Any]) -> "Rows":
        """Return the memory of each row of an array ``(n, ...)``; its byte order is the caller's choice."""
        flat = np.ascontiguousarray(values).reshape(len(values), -1)
        size = flat.shape[1] * flat.itemsize
        starts = np.arange(len(flat), dtype=np.int64) * size
        return cls(flat.view(np.uint8).ravel(), starts, np.full(len(flat), size, dtype=np.int64))

    @classmethod
    def of_texts(cls, texts: Texts) -> "Rows":
        """Return texts as they lie."""
        bounds = texts.offsets.astype(np.int64)
        return cls(texts.data, bounds[:-1], np.diff(bounds))

    @classmethod
    def repeated(cls, piece: bytes, count: int) -> "Rows":
        """Return ``count`` times the same bytes."""
        return cls.chosen((piece,), np.zeros(count, dtype=np.int64))

    @classmethod
    def chosen(cls, pieces: Sequence[bytes], which: NDArray[np.int64]) -> "Rows":
        """Return one of a few pieces in each row, by its index."""
        bounds = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
        # An array of no bytes would be read-only and without memory.
        data = np.frombuffer(b"".join(pieces) or b" ", dtype=np.uint8)
        return cls(data, bounds[which], np.diff(bounds)[which])

    def take(self, rows: NDArray[np.int64]) -> "Rows":
        """Return the rows of these indices; an index of -1 gives an empty one."""
        there = rows >= 0
        starts, lengths = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
        starts[there], lengths[there] = self.starts[rows[there]], self.lengths[rows[there]]
        return Rows(self.data, starts, lengths)

    def every(self, step: int, first: int) -> "Rows":
        """Return each ``step``-th row from ``first`` on."""
        return Rows(self.data, self.starts[first::step].copy(), self.lengths[first::step].copy())

    def row(self, index: int) -> bytes:
        """Return the bytes of one row."""
        start = self.starts[index]
        return self.data[start : start + self.lengths[index]].tobytes()


def joined_rows(count: int, *parts: Rows | bytes) -> Rows:
    """Join parts row by row; bytes alone are the same in each of the ``count`` rows."""
    rows = [part if isinstance(part, Rows) else Rows.repeated(part, count) for part in parts]
    lengths = np.zeros(count, dtype=np.int64)
    for part in rows:
        lengths += part.lengths
    ends = np.cumsum(lengths)
    starts = ends - lengths
    out = np.empty(ends[-1] if count else 0, dtype=np.uint8)
    positions = starts.copy()
    for part in rows:
        copy_rows(out, positions, part.data, part.starts, part.lengths)
    return Rows(out, starts, lengths)


@kernel
def copy_rows(
    out: NDArray[np.uint8],
    positions: NDArray[np.int64],
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    """Copy each row to its position and move the position behind it."""
    for index in range(len(positions)):
        position, start, length = positions[index], starts[index], lengths[index]
        # Slices whose own index runs from 0 compile to a block copy; computed indices do not.
        target, source = out[position : position + length], data[start : start + length]
        for byte in range(len(target)):
            target[byte] = source[byte]
        positions[index] = position + length
