"""Trace the outlines of labelled objects along pixel edges.

The object lies on the left of the direction of travel, and a path turns left wherever it can, so that it never leaves
its 4-connected part. Such a path may still touch itself, where two parts of the background meet at a corner; it is
cut there, so that rings are simple and every 4-connected part of the background gets a hole of its own. This is how
the outlines of the OGC simple-feature model, and so QuPath's, look.
"""

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline.packed_outlines import Records, concatenated
from cellscale.compiled import kernel
from cellscale.regions import Region

__all__ = ["trace"]


def trace(
    window: NDArray[np.uint32], region: Region, labels: NDArray[np.uint32], boxes: NDArray[np.int64]
) -> Records:
    """Trace objects that lie wholly inside a window.

    Parameters
    ----------
    window
        Label image of ``region``, ``(rows, columns)``.
    region
        Where the window lies in the image.
    labels
        Labels to trace, ``(n,)``.
    boxes
        Their bounding boxes in the image: top, left, bottom, right, ``(n, 4)``.

    Returns
    -------
    The outlines, in the order of ``labels``.
    """
    if not len(labels):
        return concatenated([])
    sides = boxes[:, 2:] - boxes[:, :2]
    data, offsets = _trace(
        window,
        np.array((region.top, region.left), dtype=np.int64),
        labels,
        boxes,
        np.zeros(int(sides.prod(axis=1).max()), dtype=np.int32),
        np.zeros(int((sides + 1).prod(axis=1).max()), dtype=np.int32),
    )
    return Records(data, offsets)


@kernel
def _trace(
    window: NDArray[np.uint32],
    origin: NDArray[np.int64],
    labels: NDArray[np.uint32],
    boxes: NDArray[np.int64],
    owners: NDArray[np.int32],
    places: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Trace object after object; ``owners`` and ``places`` are scratch for the largest box."""
    offsets = np.zeros(len(labels) + 1, dtype=np.int64)
    out = np.empty(64 * len(labels), dtype=np.int32)
    for index in range(len(labels)):
        top, left, bottom, right = boxes[index]
        box = window[top - origin[0] : bottom - origin[0], left - origin[1] : right - origin[1]]
        # Only the part of the scratch that this box uses is wiped: most boxes are far smaller than the largest.
        for place in range(box.size):
            owners[place] = 0
        vertices, rings, polygons = _trace_object(box, labels[index], owners, places)
        length = 1 + polygons + len(rings) + 2 * len(vertices)
        start = offsets[index]
        out = _with_room(out, start, length)
        _write(out[start : start + length], vertices, rings, polygons, left, top)
        offsets[index + 1] = start + length
    return out[: offsets[-1]], offsets


@kernel
def _with_room(array: NDArray[np.int32], used: int, more: int) -> NDArray[np.int32]:
    """Return the array, or a larger copy, with room for ``more`` elements after the ``used`` ones."""
    if used + more <= len(array):
        return array
    larger = np.empty(2 * (used + more), dtype=np.int32)
    for place in range(used):
        larger[place] = array[place]
    return larger


@kernel
def _trace_object(
    box: NDArray[np.uint32], label: int, owners: NDArray[np.int32], places: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Return an object's vertices (x, y in its box), its rings as (polygon, start, stop), and its polygons' number.

    Every ring has a left edge: a pixel of the object whose left neighbour is not. ``owners`` holds, for the pixels
    whose left edge is traced already, the number of their polygon from 1.
    """
    height, width = box.shape
    vertices = np.empty((64, 2), dtype=np.int32)
    rings = np.empty((4, 3), dtype=np.int32)
    n_vertices, n_rings, polygons = 0, 0, 0
    for y in range(height):
        for x in range(width):
            if box[y, x] != label or (x and box[y, x - 1] == label) or owners[y * width + x]:
                continue
            # Rows come from top to bottom, so that a hole's outer ring has been traced when the hole is met.
            polygon = _polygon_above(box, label, owners, y, x)
            if polygon == 0:
                polygons += 1
                polygon = polygons
            path = _follow(box, label, owners, y, x, polygon)
            if n_vertices + len(path) > len(vertices):
                vertices = _longer(vertices, 2 * (n_vertices + len(path)))
            if n_rings + len(path) // 4 > len(rings):
                rings = _longer(rings, 2 * (n_rings + len(path) // 4))
            n_vertices, n_rings = _cut(path, polygon, places, width + 1, vertices, n_vertices, rings, n_rings)
    return vertices[:n_vertices], rings[:n_rings], polygons


@kernel
def _longer(array: NDArray[np.int32], length: int) -> NDArray[np.int32]:
    """Return a copy with ``length`` rows."""
    longer = np.empty((length, array.shape[1]), dtype=np.int32)
    for row in range(len(array)):
        for column in range(array.shape[1]):
            longer[row, column] = array[row, column]
    return longer


@kernel
def _polygon_above(box: NDArray[np.uint32], label: int, owners: NDArray[np.int32], y: int, x: int) -> int:
    """Return the polygon in which a ring whose first left edge is at (y, x) is a hole, or 0 for an outer ring.

    The first pixel right of a hole hangs on the row above the hole, which is of the same part: the pixels above and
    above left belong to the object. Going left in that row leads to a left edge that is traced already.
    """
    if not (x and y and box[y - 1, x] == label and box[y - 1, x - 1] == label):
        return 0
    x -= 1
    while x and box[y - 1, x - 1] == label:
        x -= 1
    return int(owners[(y - 1) * box.shape[1] + x])


@kernel
def _follow(
    box: NDArray[np.uint32], label: int, owners: NDArray[np.int32], y: int, x: int, polygon: int
) -> NDArray[np.int32]:
    """Return the corners of the path that starts downward along the left edge of pixel (y, x)."""
    height, width = box.shape
    path = np.empty((64, 2), dtype=np.int32)
    path[0, 0], path[0, 1] = x, y
    count, start_x, start_y = 1, x, y
    dx, dy = 0, 1
    while True:
        if dy == 1:
            owners[y * width + x] = polygon
        x, y = x + dx, y + dy
        # The pixels ahead, left and right of the direction of travel. Left is tried first: where two parts of the
        # object meet at a corner, the path stays with its own.
        left_x, left_y = x + (dx + dy - 1) // 2, y + (dy - dx - 1) // 2
        right_x, right_y = x + (dx - dy - 1) // 2, y + (dy + dx - 1) // 2
        if not (0 <= left_x < width and 0 <= left_y < height and box[left_y, left_x] == label):
            dx, dy = dy, -dx
        elif 0 <= right_x < width and 0 <= right_y < height and box[right_y, right_x] == label:
            dx, dy = -dy, dx
        else:
            continue
        if x == start_x and y == start_y and dy == 1:
            return path[:count]
        if count == len(path):
            path = _longer(path, 2 * count)
        path[count, 0], path[count, 1] = x, y
        count += 1


@kernel
def _cut(
    path: NDArray[np.int32],
    polygon: int,
    places: NDArray[np.int32],
    stride: int,
    vertices: NDArray[np.int32],
    n_vertices: int,
    rings: NDArray[np.int32],
    n_rings: int,
) -> tuple[int, int]:
    """Cut a path into simple rings where it meets itself, append them, and return the new counts.

    ``places`` holds, for each corner of the box, one plus its place among the path's vertices not yet in a ring.
    """
    # A corner met again closes a loop, which is a ring of its own: rings must not touch themselves.
    count = 0
    for index in range(len(path)):
        place = places[path[index, 1] * stride + path[index, 0]]
        if place:
            n_vertices, n_rings = _append(path[place - 1 : count], polygon, vertices, n_vertices, rings, n_rings)
            for loop in range(place, count):
                places[path[loop, 1] * stride + path[loop, 0]] = 0
            count = place
        else:
            # Vertices move down over those that have been cut off.
            path[count, 0], path[count, 1] = path[index, 0], path[index, 1]
            count += 1
            places[path[index, 1] * stride + path[index, 0]] = count
    # Places are put back to 0 by the way they were set, which costs less than to wipe the whole box.
    for index in range(count):
        places[path[index, 1] * stride + path[index, 0]] = 0
    return _append(path[:count], polygon, vertices, n_vertices, rings, n_rings)


@kernel
def _append(
    ring: NDArray[np.int32],
    polygon: int,
    vertices: NDArray[np.int32],
    n_vertices: int,
    rings: NDArray[np.int32],
    n_rings: int,
) -> tuple[int, int]:
    """Append one ring, and return the new counts."""
    for index in range(len(ring)):
        vertices[n_vertices + index, 0], vertices[n_vertices + index, 1] = ring[index, 0], ring[index, 1]
    stop = n_vertices + len(ring)
    rings[n_rings, 0], rings[n_rings, 1], rings[n_rings, 2] = polygon, n_vertices, stop
    return stop, n_rings + 1


@kernel
def _write(
    out: NDArray[np.int32],
    vertices: NDArray[np.int32],
    rings: NDArray[np.int32],
    polygons: int,
    left: int,
    top: int,
) -> None:
    """Write an object's record: its rings sorted by polygon, outer ring first."""
    # Rings were found in the order of their first rows, those of several parts mixed: they are counted out by part.
    ends = np.zeros(polygons + 2, dtype=np.int64)
    for ring in range(len(rings)):
        ends[rings[ring, 0] + 1] += 1
    for polygon in range(polygons + 1):
        ends[polygon + 1] += ends[polygon]
    order = np.empty(len(rings), dtype=np.int64)
    for ring in range(len(rings)):
        order[ends[rings[ring, 0]]] = ring
        ends[rings[ring, 0]] += 1
    out[0] = polygons
    place, start = 1, 0
    for polygon in range(1, polygons + 1):
        stop = ends[polygon]
        _outer_first(order[start:stop], vertices, rings)
        out[place] = stop - start
        place += 1
        for ring in range(start, stop):
            place = _write_ring(out, place, vertices, rings[order[ring], 1], rings[order[ring], 2], left, top)
        start = stop


@kernel
def _write_ring(
    out: NDArray[np.int32], place: int, vertices: NDArray[np.int32], start: int, stop: int, left: int, top: int
) -> int:
    """Write one ring at ``place``, and return the place after it."""
    out[place] = stop - start
    place += 1
    for vertex in range(start, stop):
        out[place], out[place + 1] = vertices[vertex, 0] + left, vertices[vertex, 1] + top
        place += 2
    return place


@kernel
def _outer_first(order: NDArray[np.int64], vertices: NDArray[np.int32], rings: NDArray[np.int32]) -> None:
    """Move the outer ring, the only one that runs the other way round, to the front of its polygon's rings."""
    for index in range(len(order)):
        start, stop = rings[order[index], 1], rings[order[index], 2]
        # The sign of twice the area tells which way a ring runs.
        total = 0
        for vertex in range(start, stop):
            after = vertex + 1 if vertex + 1 < stop else start
            total += vertices[vertex, 0] * vertices[after, 1] - vertices[after, 0] * vertices[vertex, 1]
        if total < 0:
            order[0], order[index] = order[index], order[0]
            return
