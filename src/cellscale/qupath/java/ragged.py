"""Rows of bytes of different lengths, and how many templates are filled with them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.qupath.java.java_stream import Template
from cellscale.qupath.java.java_types import Encoded

__all__ = ["Filling", "Rows", "fill"]


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
    def repeated(cls, piece: bytes, count: int) -> "Rows":
        """Return ``count`` times the same bytes."""
        zeros = np.zeros(count, dtype=np.int64)
        return cls(np.frombuffer(piece, dtype=np.uint8), zeros, np.full_like(zeros, len(piece)))

    def row(self, index: int) -> bytes:
        """Return the bytes of one row."""
        start = self.starts[index]
        return self.data[start : start + self.lengths[index]].tobytes()


@dataclass(frozen=True, slots=True)
class Filling:
    """Objects of one kind among others."""

    template: Template

    columns: Mapping[str, tuple[Rows, ...]]
    """What fills each slot, by its name: one or more rows after another for each object."""

    places: NDArray[np.int64]
    """Position of each object among all, ``(n,)``."""

    def parts(self) -> Sequence[Rows]:
        """Return the rows that make up the objects from first to last byte."""
        count = len(self.places)
        found = [Rows.repeated(self.template.pieces[0], count)]
        for slot, piece in zip(self.template.slots, self.template.pieces[1:], strict=True):
            found += [*self.columns[slot.name], Rows.repeated(piece, count)]
        return found


def fill(fillings: Sequence[Filling], count: int) -> Encoded:
    """Fill the templates of ``count`` objects, each of which belongs to one filling, and join them in order."""
    parts = [filling.parts() for filling in fillings]
    ends = np.zeros(count + 1, dtype=np.int64)
    for filling, rows in zip(fillings, parts, strict=True):
        ends[filling.places + 1] = sum(part.lengths for part in rows)
    np.cumsum(ends, out=ends)
    out = np.empty(ends[-1], dtype=np.uint8)
    for filling, rows in zip(fillings, parts, strict=True):
        positions = ends[filling.places]
        for part in rows:
            _copy_rows(out, positions, part.data, part.starts, part.lengths)
    return Encoded(out.data, sum(filling.template.handles * len(filling.places) for filling in fillings))


@kernel
def _copy_rows(
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
