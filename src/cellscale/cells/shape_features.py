"""Shape features of outlines, as QuPath and the JTS Topology Suite define them."""

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline.hull import convex_hull, enclosing_circle_diameter, minimum_width
from cellscale.cells.outline.shapes import Shapes
from cellscale.compiled import kernel

__all__ = [
    "FEATURES",
    "RoiForm",
    "centroids",
    "extents",
    "roi_codes",
    "shape_features",
    "stored_centroids",
]

FEATURES = 6
"""Number of shape features: area, length, circularity, solidity, maximum diameter, minimum diameter."""


class RoiForm(Enum):
    """How QuPath 0.6 and later name the outline of an object."""

    RECTANGLE = "Rectangle"
    POLYGON = "Polygon"
    GEOMETRY = "Geometry"
    """An outline with holes or of several parts."""


_RECTANGLE, _POLYGON, _GEOMETRY = range(len(RoiForm))


def shape_features(shapes: Shapes, pixel_size: tuple[float, float]) -> NDArray[np.float64]:
    """Measure the shape of each object.

    Parameters
    ----------
    shapes
        Outlines in pixels.
    pixel_size
        Width and height of a pixel; (1, 1) to measure in pixels.

    Returns
    -------
    Area without holes, length of all rings, circularity of the outer ring with its holes filled (NaN for an object
    in several parts, which has none), solidity, diameter of the smallest enclosing circle, and smallest width,
    ``(n, 6)``. Coordinates are rounded to float32 after scaling, as QuPath's are.
    """
    xy = (shapes.vertices * np.asarray(pixel_size, dtype=np.float64)).astype(np.float32).astype(np.float64)
    rows = shapes.vertices[:, 1].astype(np.int64)
    area, length, outer_area, outer_length = _ring_sums(xy, *_offsets(shapes)).T
    hull_area, circle, width = _hull_features(xy, rows, shapes.boxes, *_offsets(shapes)).T
    circularity = 4 * np.pi * outer_area / (outer_length * outer_length)
    circularity[shapes.polygon_counts != 1] = np.nan
    return np.column_stack([area, length, circularity, area / hull_area, circle, width])


def extents(shapes: Shapes) -> NDArray[np.float64]:
    """Return area and length of each object in pixels, ``(n, 2)``."""
    return _ring_sums(shapes.vertices.astype(np.float64), *_offsets(shapes))[:, :2]


def centroids(shapes: Shapes) -> NDArray[np.float64]:
    """Return the area centroid (x, y) of each object in pixels, ``(n, 2)``."""
    return _centroids(shapes.vertices, shapes.boxes, *_offsets(shapes))


def stored_centroids(shapes: Shapes) -> NDArray[np.float32]:
    """Return the centroids as QuPath keeps them in a data file: on a grid of 0.01 pixels, in float32, ``(n, 2)``."""
    return (np.floor(centroids(shapes) * 100 + 0.5) / 100).astype(np.float32)


def roi_codes(shapes: Shapes) -> NDArray[np.int64]:
    """Return the place of each object's form among the members of :class:`RoiForm`, ``(n,)``.

    To QuPath an outline whose holes all touch it at a corner, or touch such holes, is a polygon: one ring that meets
    itself. Rings of one 4-connected part never meet in a circle, so meetings need only be counted.
    """
    rings = np.diff(shapes.ring_offsets[shapes.polygon_offsets])
    vertices = np.diff(shapes.vertex_offsets[shapes.ring_offsets[shapes.polygon_offsets]])
    single = shapes.polygon_counts == 1
    loops = rings - _meetings(shapes, single & (rings > 1))
    codes = np.full(len(shapes), _GEOMETRY)
    codes[single & (loops == 1)] = _POLYGON
    codes[(rings == 1) & (vertices == 4)] = _RECTANGLE
    return codes


def _meetings(shapes: Shapes, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the corners at which rings of the same object meet, for the chosen objects, 0 for the others."""
    counts = np.diff(shapes.vertex_offsets[shapes.ring_offsets[shapes.polygon_offsets]])
    owners = np.repeat(np.arange(len(shapes)), counts)
    of_chosen = chosen[owners]
    keys = np.column_stack([owners[of_chosen], shapes.vertices[of_chosen]])
    keys = keys[np.lexsort(keys.T)]
    again = (keys[1:] == keys[:-1]).all(axis=1)
    return np.bincount(keys[1:][again, 0], minlength=len(shapes))


def _offsets(shapes: Shapes) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return all offsets of ragged outlines."""
    return shapes.polygon_offsets, shapes.ring_offsets, shapes.vertex_offsets


@kernel
def _ring_sums(
    xy: NDArray[np.float64],
    polygon_offsets: NDArray[np.int64],
    ring_offsets: NDArray[np.int64],
    vertex_offsets: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return area, length, and the last polygon's area with its holes filled and length of its outer ring."""
    out = np.zeros((len(polygon_offsets) - 1, 4))
    for index in range(len(out)):
        for polygon in range(polygon_offsets[index], polygon_offsets[index + 1]):
            for ring in range(ring_offsets[polygon], ring_offsets[polygon + 1]):
                area, length = _area_length(xy[vertex_offsets[ring] : vertex_offsets[ring + 1]])
                out[index, 1] += length
                if ring == ring_offsets[polygon]:
                    out[index, 0] += area
                    out[index, 2], out[index, 3] = area, length
                else:
                    out[index, 0] -= area
    return out


@kernel
def _hull_features(
    xy: NDArray[np.float64],
    rows: NDArray[np.int64],
    boxes: NDArray[np.int64],
    polygon_offsets: NDArray[np.int64],
    ring_offsets: NDArray[np.int64],
    vertex_offsets: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return area, enclosing circle's diameter and smallest width of the convex hulls."""
    out = np.empty((len(polygon_offsets) - 1, 3))
    for index in range(len(out)):
        start = vertex_offsets[ring_offsets[polygon_offsets[index]]]
        stop = vertex_offsets[ring_offsets[polygon_offsets[index + 1]]]
        top, bottom = boxes[index, 0], boxes[index, 2]
        hull = convex_hull(xy[start:stop], rows[start:stop] - top, bottom - top + 1)
        out[index, 0] = _area_length(hull)[0]
        out[index, 1] = enclosing_circle_diameter(hull)
        out[index, 2] = minimum_width(hull)
    return out


@kernel
def _area_length(ring: NDArray[np.float64]) -> tuple[float, float]:
    """Return area and length of one ring."""
    count = len(ring)
    area, length = 0.0, 0.0
    x, y = ring[count - 1, 0] - ring[0, 0], ring[count - 1, 1] - ring[0, 1]
    # Relative to the first vertex: far from the image's origin the products would lose their last digits.
    for index in range(count):
        next_x, next_y = ring[index, 0] - ring[0, 0], ring[index, 1] - ring[0, 1]
        area += x * next_y - next_x * y
        length += np.sqrt((next_x - x) * (next_x - x) + (next_y - y) * (next_y - y))
        x, y = next_x, next_y
    return abs(area) / 2, length


@kernel
def _centroids(
    vertices: NDArray[np.int32],
    boxes: NDArray[np.int64],
    polygon_offsets: NDArray[np.int64],
    ring_offsets: NDArray[np.int64],
    vertex_offsets: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return centroids from sums that are exact: of whole numbers, relative to the object's box."""
    out = np.empty((len(boxes), 2))
    for index in range(len(boxes)):
        top, left = boxes[index, 0], boxes[index, 1]
        area, sum_x, sum_y = 0.0, 0.0, 0.0
        for ring in range(ring_offsets[polygon_offsets[index]], ring_offsets[polygon_offsets[index + 1]]):
            start, stop = vertex_offsets[ring], vertex_offsets[ring + 1]
            x, y = float(vertices[stop - 1, 0] - left), float(vertices[stop - 1, 1] - top)
            for vertex in range(start, stop):
                next_x, next_y = float(vertices[vertex, 0] - left), float(vertices[vertex, 1] - top)
                cross = x * next_y - next_x * y
                area += cross
                sum_x += (x + next_x) * cross
                sum_y += (y + next_y) * cross
                x, y = next_x, next_y
        out[index, 0] = (sum_x + 3 * area * left) / 3 / area
        out[index, 1] = (sum_y + 3 * area * top) / 3 / area
    return out
