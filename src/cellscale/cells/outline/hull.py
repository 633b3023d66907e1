"""Convex hulls, and what is measured on them."""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel

__all__ = ["convex_hull", "enclosing_circle_diameter", "minimum_width"]


@kernel
def convex_hull(points: NDArray[np.float64], rows: NDArray[np.int64], height: int) -> NDArray[np.float64]:
    """Return the corners of the convex hull of points that lie on few rows, in order around it.

    Andrew's monotone chain (Information Processing Letters 9, 1979); instead of being sorted, the points are reduced
    to the outermost two of each row.

    Parameters
    ----------
    points
        x and y, ``(n, 2)``; y does not decrease with the row.
    rows
        Row of each point, below ``height``, ``(n,)``.
    height
        Number of rows.
    """
    # Between the outermost two points of a row there is no corner, and those two are in order without sorting.
    ends = _row_ends(points, rows, height)
    hull = np.empty((2 * len(ends), 2))
    count, floor = 0, 2
    for step in range(2 * len(ends) - 1):
        if step == len(ends):
            # The way back starts at the last corner of the way there, and must not remove it.
            floor = count + 1
        index = step if step < len(ends) else 2 * len(ends) - 2 - step
        # A corner at which the way does not turn left is not one of the hull's, now that there is a point beyond it.
        while count >= floor and _cross(hull[count - 2], hull[count - 1], ends[index]) <= 0:
            count -= 1
        hull[count, 0], hull[count, 1] = ends[index, 0], ends[index, 1]
        count += 1
    return hull[: count - 1]


@kernel
def _row_ends(points: NDArray[np.float64], rows: NDArray[np.int64], height: int) -> NDArray[np.float64]:
    """Return the left-most and the right-most point of each row that has points, by row, then x."""
    first, last = np.full(height, -1), np.full(height, -1)
    for index in range(len(points)):
        row, x = rows[index], points[index, 0]
        if first[row] < 0 or x < points[first[row], 0]:
            first[row] = index
        if last[row] < 0 or x > points[last[row], 0]:
            last[row] = index
    ends = np.empty((2 * height, 2))
    count = 0
    for row in range(height):
        if first[row] < 0:
            continue
        for index in (first[row], last[row]):
            ends[count, 0], ends[count, 1] = points[index, 0], points[index, 1]
            count += 1
    return ends[:count]


@kernel
def _cross(origin: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the cross product of two points as seen from an origin: positive for a turn to the left."""
    return float((first[0] - origin[0]) * (second[1] - origin[1]) - (first[1] - origin[1]) * (second[0] - origin[0]))


@kernel
def minimum_width(hull: NDArray[np.float64]) -> float:
    """Return the smallest distance of two parallel lines that hold a convex polygon between them.

    One of them lies on an edge (Houle and Toussaint, IEEE PAMI 10, 1988).
    """
    # Every edge with every corner: a cell's hull has so few that rotating calipers would gain nothing.
    smallest = np.inf
    for index in range(len(hull)):
        start, end = hull[index], hull[(index + 1) % len(hull)]
        length = np.sqrt((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2)
        height = 0.0
        for other in range(len(hull)):
            height = max(height, abs(_cross(start, end, hull[other])) / length)
        smallest = min(smallest, height)
    return smallest


@kernel
def enclosing_circle_diameter(hull: NDArray[np.float64]) -> float:
    """Return the diameter of the smallest circle around a convex polygon.

    Chrystal's method (Proceedings of the Edinburgh Mathematical Society 3, 1885): the corner that sees an edge under
    the smallest angle either shows that the edge is a diameter, or replaces one of its ends, or lies on the circle.
    """
    first, second, third = 0, 1, 2
    # Each turn enlarges the circle, so the turns end by themselves, unless rounding makes equal circles take turns.
    for _ in range(len(hull) * len(hull)):
        third = _narrowest(hull, first, second)
        if _dot(hull, third, first, second) <= 0:
            return _distance(hull[first], hull[second])
        if _dot(hull, first, third, second) < 0:
            first = third
        elif _dot(hull, second, third, first) < 0:
            second = third
        else:
            break
    return _circumscribed_diameter(hull[first], hull[second], hull[third])


@kernel
def _narrowest(hull: NDArray[np.float64], first: int, second: int) -> int:
    """Return the corner that sees two others under the smallest angle, the largest cotangent."""
    best, largest = -1, -np.inf
    for index in range(len(hull)):
        if index in (first, second):
            continue
        cotangent = _dot(hull, index, first, second) / abs(_cross(hull[index], hull[first], hull[second]))
        if cotangent > largest:
            best, largest = index, cotangent
    return best


@kernel
def _dot(hull: NDArray[np.float64], origin: int, first: int, second: int) -> float:
    """Return the dot product of two corners as seen from a third: negative beyond a right angle."""
    return float(
        (hull[first, 0] - hull[origin, 0]) * (hull[second, 0] - hull[origin, 0])
        + (hull[first, 1] - hull[origin, 1]) * (hull[second, 1] - hull[origin, 1])
    )


@kernel
def _distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the distance of two points."""
    return float(np.sqrt((first[0] - second[0]) ** 2 + (first[1] - second[1]) ** 2))


@kernel
def _circumscribed_diameter(
    first: NDArray[np.float64], second: NDArray[np.float64], third: NDArray[np.float64]
) -> float:
    """Return the diameter of the circle through three points."""
    sides = _distance(first, second) * _distance(second, third) * _distance(third, first)
    return float(sides / abs(_cross(first, second, third)))
