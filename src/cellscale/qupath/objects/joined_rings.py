"""Outlines with holes that touch them, as the one ring that QuPath 0.6 and later make of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline import Shapes

__all__ = ["join_rings"]


def join_rings(shapes: Shapes, rows: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Rearrange vertices so that the rings of an object follow each other as one ring that meets itself.

    Parameters
    ----------
    shapes
        Outlines.
    rows
        Objects in one part whose rings are to be joined: few, because each takes its time.

    Returns
    -------
    The vertices of all outlines, those of ``rows`` in their new order; and those of ``rows`` that cannot be joined,
    because a hole meets no other ring: their vertices stay in place.
    """
    vertices = shapes.vertices.copy() if len(rows) else shapes.vertices
    apart = []
    for row in rows:
        first, last = shapes.ring_offsets[shapes.polygon_offsets[row : row + 2]]
        offsets = shapes.vertex_offsets[first : last + 1]
        rings = [list(map(tuple, ring)) for ring in np.split(shapes.vertices[: offsets[-1]], offsets[:-1])[1:]]
        ring = _joined(rings)
        if ring is None:
            apart.append(row)
        else:
            vertices[offsets[0] : offsets[-1]] = ring
    return vertices, np.array(apart, dtype=np.int64)


def _joined(rings: Sequence[list[tuple[int, ...]]]) -> list[tuple[int, ...]] | None:
    """Return a ring that enters each hole at a corner that it shares with what was joined before."""
    ring, holes = list(rings[0]), list(rings[1:])
    while holes:
        corners = set(ring)
        hole = next((hole for hole in holes if not corners.isdisjoint(hole)), None)
        if hole is None:
            return None
        holes.remove(hole)
        start = next(index for index, corner in enumerate(hole) if corner in corners)
        place = ring.index(hole[start])
        ring[place:place] = hole[start:] + hole[:start]
    return ring
