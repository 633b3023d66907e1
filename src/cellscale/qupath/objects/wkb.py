"""Outlines as well-known binary (ISO 19125), big-endian and two-dimensional."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline import Shapes
from cellscale.compiled import kernel

__all__ = ["encode_wkb"]

_Structure: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Offsets of polygons, rings and vertices, as in :class:`Shapes`."""

_POLYGON, _MULTI_POLYGON = 3, 6
_HEADER, _COUNT, _POINT = 5, 4, 16


def encode_wkb(shapes: Shapes, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Encode the outlines of some objects, each as a Polygon or, in several parts, a MultiPolygon.

    Parameters
    ----------
    shapes
        Outlines.
    rows
        Which objects, ``(n,)``.

    Returns
    -------
    The bytes of all of them, and where each begins and the last one ends, ``(n + 1,)``. Rings are closed.
    """
    structure = (shapes.polygon_offsets, shapes.ring_offsets, shapes.vertex_offsets)
    lengths = _wkb_lengths(rows, structure)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), lengths.cumsum()])
    out = np.zeros(offsets[-1], dtype=np.uint8)
    _write_wkb(out, rows, shapes.vertices, structure)
    return out, offsets


def _wkb_lengths(
    rows: NDArray[np.int64],
    structure: _Structure,
) -> NDArray[np.int64]:
    """Return the bytes of each outline."""
    polygon_offsets, ring_offsets, vertex_offsets = structure
    first, last = polygon_offsets[rows], polygon_offsets[rows + 1]
    polygons = last - first
    rings = ring_offsets[last] - ring_offsets[first]
    points = vertex_offsets[ring_offsets[last]] - vertex_offsets[ring_offsets[first]] + rings
    heads = polygons + (polygons != 1)
    lengths: NDArray[np.int64] = heads * (_HEADER + _COUNT) + rings * _COUNT + points * _POINT
    return lengths


@kernel
def _write_wkb(
    out: NDArray[np.uint8],
    rows: NDArray[np.int64],
    vertices: NDArray[np.int32],
    structure: _Structure,
) -> None:
    """Write outline after outline; ``out`` is zero before."""
    polygon_offsets, ring_offsets, vertex_offsets = structure
    place = 0
    number = np.empty(1)
    bits = number.view(np.uint64)
    for row in rows:
        start, stop = polygon_offsets[row], polygon_offsets[row + 1]
        if stop - start != 1:
            place = _put_head(out, place, _MULTI_POLYGON, stop - start)
        for polygon in range(start, stop):
            rings = ring_offsets[polygon], ring_offsets[polygon + 1]
            place = _put_head(out, place, _POLYGON, rings[1] - rings[0])
            for ring in range(rings[0], rings[1]):
                first, end = vertex_offsets[ring], vertex_offsets[ring + 1]
                place = _put_count(out, place, end - first + 1)
                for index in range(first, end + 1):
                    vertex = index if index < end else first
                    for axis in range(2):
                        number[0] = vertices[vertex, axis]
                        for byte in range(8):
                            out[place + byte] = (bits[0] >> np.uint64(56 - 8 * byte)) & np.uint64(0xFF)
                        place += 8


@kernel
def _put_head(out: NDArray[np.uint8], place: int, kind: int, count: int) -> int:
    """Write byte order, kind and number of parts; return the place after them."""
    out[place + 4] = kind
    return _put_count(out, place + _HEADER, count)


@kernel
def _put_count(out: NDArray[np.uint8], place: int, count: int) -> int:
    """Write a 32-bit count; return the place after it."""
    for byte in range(_COUNT):
        out[place + byte] = (count >> (24 - 8 * byte)) & 0xFF
    return place + _COUNT
