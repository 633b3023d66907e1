"""Outlines in the compact form in which they are kept while an image is measured.

An object's record is one run of int32: the number of polygons; for each polygon the number of rings; for each ring
the number of vertices, then x and y of each vertex.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline.shapes import Shapes
from cellscale.compiled import kernel

__all__ = ["Records", "concatenated", "shapes_of"]


@dataclass(frozen=True, slots=True)
class Records:
    """Outlines of consecutive objects."""

    data: NDArray[np.int32]
    """The records, one after another."""

    offsets: NDArray[np.int64]
    """Record ``i`` is ``data[offsets[i]:offsets[i + 1]]``, ``(n + 1,)``."""

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.offsets) - 1


def concatenated(parts: Sequence[Records]) -> Records:
    """Return the records of all parts, in order."""
    lengths = [np.diff(part.offsets) for part in parts]
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), *lengths]).cumsum()
    return Records(np.concatenate([np.empty(0, dtype=np.int32), *(part.data for part in parts)]), offsets)


def shapes_of(records: Records, labels: NDArray[np.int64], boxes: NDArray[np.int64]) -> Shapes:
    """Unpack the outlines of the objects with these labels and bounding boxes."""
    polygons, rings, vertices = _counts(records.data, records.offsets)
    polygon_offsets = np.zeros(len(records) + 1, dtype=np.int64)
    ring_offsets = np.zeros(polygons + 1, dtype=np.int64)
    vertex_offsets = np.zeros(rings + 1, dtype=np.int64)
    xy = np.empty((vertices, 2), dtype=np.int32)
    _unpack(records.data, polygon_offsets, ring_offsets, vertex_offsets, xy)
    return Shapes(labels, boxes, polygon_offsets, ring_offsets, vertex_offsets, xy)


@kernel
def _counts(data: NDArray[np.int32], offsets: NDArray[np.int64]) -> tuple[int, int, int]:
    """Return the number of polygons, rings and vertices in all records."""
    # Counted before anything is unpacked, so that each array is made once, in its size.
    polygons, rings, vertices = 0, 0, 0
    for start in offsets[:-1]:
        place = start + 1
        for _ in range(data[start]):
            count = data[place]
            place += 1
            polygons += 1
            rings += count
            for _ in range(count):
                vertices += data[place]
                place += 1 + 2 * data[place]
    return polygons, rings, vertices


@kernel
def _unpack(
    data: NDArray[np.int32],
    polygon_offsets: NDArray[np.int64],
    ring_offsets: NDArray[np.int64],
    vertex_offsets: NDArray[np.int64],
    xy: NDArray[np.int32],
) -> None:
    """Fill the arrays of a :class:`Shapes`."""
    place, polygon, ring, vertex = 0, 0, 0, 0
    for index in range(len(polygon_offsets) - 1):
        polygons = data[place]
        place += 1
        for _ in range(polygons):
            rings = data[place]
            place += 1
            for _ in range(rings):
                count = data[place]
                place += 1
                for _ in range(count):
                    xy[vertex, 0], xy[vertex, 1] = data[place], data[place + 1]
                    place += 2
                    vertex += 1
                ring += 1
                vertex_offsets[ring] = vertex
            polygon += 1
            ring_offsets[polygon] = ring
        polygon_offsets[index + 1] = polygon
