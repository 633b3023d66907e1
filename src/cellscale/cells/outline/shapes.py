"""Outlines of labelled objects as ragged arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shapes"]


@dataclass(frozen=True, slots=True)
class Shapes:
    """The outlines of a batch of objects.

    An object has one polygon for each of its 4-connected parts; a polygon has an outer ring and a ring for each
    hole. Vertices are pixel corners: pixel (x, y) is the square from (x, y) to (x + 1, y + 1), so a polygon holds
    exactly the pixels of its part. Rings are simple, do not repeat their first vertex at the end, and have no
    vertex on a straight line. With y pointing down, outer rings run with the object on the left: from the top-most,
    then left-most vertex downward; holes run with the object on the left as well, hence the other way round.
    """

    labels: NDArray[np.int64]
    """Label of each object, ``(n,)``."""

    boxes: NDArray[np.int64]
    """Bounding box of each object as top, left, bottom, right (half open), ``(n, 4)``."""

    polygon_offsets: NDArray[np.int64]
    """Object ``i`` has the polygons ``polygon_offsets[i]`` to ``polygon_offsets[i + 1] - 1``, ``(n + 1,)``."""

    ring_offsets: NDArray[np.int64]
    """Polygon ``i`` has the rings ``ring_offsets[i]`` to ``ring_offsets[i + 1] - 1``, the outer one first."""

    vertex_offsets: NDArray[np.int64]
    """Ring ``i`` has the vertices ``vertex_offsets[i]`` to ``vertex_offsets[i + 1] - 1``."""

    vertices: NDArray[np.int32]
    """x and y of each vertex in whole-image pixels, ``(v, 2)``."""

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.labels)

    @property
    def polygon_counts(self) -> NDArray[np.int64]:
        """Polygons of each object: more than one makes it a MultiPolygon."""
        return np.diff(self.polygon_offsets)
