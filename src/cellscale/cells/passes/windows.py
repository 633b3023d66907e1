"""Windows that slide down an image, so that each row of a swath is read once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.scratch_arrays import Scratch
from cellscale.compiled import kernel
from cellscale.regions import Region, RegionReader

__all__ = ["Strips", "Swath", "WindowObjects", "plan"]


@dataclass(frozen=True, slots=True)
class WindowObjects:
    """Objects that are worked on in one window of the image."""

    region: Region
    """The window: it holds all of them whole."""

    members: tuple[NDArray[np.int64], ...]
    """Rows of the objects, ascending, for each table of boxes that was planned for."""


@dataclass(frozen=True, slots=True)
class Swath:
    """Windows of the same columns, from top to bottom, each within two strips of rows."""

    region: Region
    """The columns, over the image's whole height."""

    windows: tuple[WindowObjects, ...]

    def top_after(self, index: int) -> int:
        """Return the first row that windows after this one look at."""
        return min((later.region.top for later in self.windows[index + 1 :]), default=self.region.bottom)


class Strips:
    """Reads the windows of one swath, each strip of rows once for each reader.

    Parameters
    ----------
    readers
        What is read, each with its own data type.
    swath
        The columns, over the image's whole height.
    height
        Rows in a strip.
    """

    def __init__(self, readers: Sequence[RegionReader], swath: Region, height: int) -> None:
        self._readers = readers
        self._swath = swath
        self._height = height
        self._held: dict[int, tuple[int, NDArray[Any]]] = {}

    def read(self, reader: int, window: Region, top_after: int) -> NDArray[Any]:
        """Return the pixels of the next window from one reader, and keep what later windows need of them.

        Parameters
        ----------
        reader
            Index of the reader; no two threads may ask for the same one.
        window
            Below or beside the one before.
        top_after
            First row of all windows to come.
        """
        end = min(-(-window.bottom // self._height) * self._height, self._swath.bottom)
        start = window.top // self._height * self._height
        parts = []
        if reader in self._held:
            top, rows = self._held.pop(reader)
            if top + len(rows) > window.top:
                parts.append(rows[window.top - top :])
                start = top + len(rows)
        if start < end:
            rows = self._readers[reader](Region(start, self._swath.left, end, self._swath.right))
            parts.append(rows[max(window.top - start, 0) :])
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if top_after < end:
            self._held[reader] = (top_after, whole[top_after - window.top :].copy())
        return whole[: window.height]


def plan(
    tables: Sequence[NDArray[np.int64]], shape: tuple[int, int], size: tuple[int, int], scratch: Scratch
) -> tuple[list[Swath], list[WindowObjects]]:
    """Group objects by the window in which their last row and column lie.

    Parameters
    ----------
    tables
        For each kind of objects their boxes: top, left, bottom, right, ``(n, 4)``.
    shape
        Rows and columns of the image.
    size
        Rows and columns of a window.
    scratch
        Where the order of the objects is kept.

    Returns
    -------
    Swaths of windows, each window within two strips of its swath; and a window each for the objects that are larger
    than that, so that one of them does not make everybody's window large.
    """
    grid = (-(-shape[0] // size[0]), -(-shape[1] // size[1]))
    ends = np.zeros((len(tables), grid[0] * grid[1] + 2), np.int64)
    bounds = np.tile(np.array([*shape, 0, 0]), (ends.shape[1] - 1, 1))
    for boxes, counts in zip(tables, ends[:, 1:], strict=True):
        for part in scratch.parts(len(boxes)):
            _count(boxes[part], size, grid, counts, bounds)
    np.cumsum(ends, axis=1, out=ends)
    orders = [scratch.zeros((len(boxes),), np.int64) for boxes in tables]
    for boxes, order, places in zip(tables, orders, ends.copy(), strict=True):
        for part in scratch.parts(len(boxes)):
            _sort(boxes[part], part.start, size, grid, places, order)
    members = [
        tuple(order[ends[table, window] : ends[table, window + 1]] for table, order in enumerate(orders))
        for window in range(ends.shape[1] - 1)
    ]
    swaths = [
        _swath(range(first, first + grid[0]), bounds, members, shape[0])
        for first in range(0, len(members) - 1, grid[0])
    ]
    return [swath for swath in swaths if swath.windows], _large(tables, members[-1])


def _swath(
    windows: range, bounds: NDArray[np.int64], members: Sequence[tuple[NDArray[np.int64], ...]], bottom: int
) -> Swath:
    """Return those windows of a swath in which there is something."""
    some = [window for window in windows if any(map(len, members[window]))]
    left, right = (int(bounds[some, 1].min()), int(bounds[some, 3].max())) if some else (0, 0)
    works = (
        WindowObjects(Region(int(bounds[one, 0]), left, int(bounds[one, 2]), right), members[one]) for one in some
    )
    return Swath(Region(0, left, bottom, right), tuple(works))


def _large(tables: Sequence[NDArray[np.int64]], members: Sequence[NDArray[np.int64]]) -> list[WindowObjects]:
    """Return a window for each large object."""
    return [
        WindowObjects(
            Region(*tables[table][row].tolist()),
            tuple(np.array([row] * (k == table), dtype=np.int64) for k in range(len(tables))),
        )
        for table, rows in enumerate(members)
        for row in rows
    ]


@kernel
def _window(box: NDArray[np.int64], size: tuple[int, int], grid: tuple[int, int]) -> int:
    """Return the number of an object's window, swath after swath; large objects are in the last one."""
    # By its last row and column: an object that is no larger than a window begins at most one strip above.
    if box[2] - box[0] > size[0] or box[3] - box[1] > size[1]:
        return grid[0] * grid[1]
    return int((box[3] - 1) // size[1] * grid[0] + (box[2] - 1) // size[0])


@kernel
def _count(
    boxes: NDArray[np.int64],
    size: tuple[int, int],
    grid: tuple[int, int],
    counts: NDArray[np.int64],
    bounds: NDArray[np.int64],
) -> None:
    """Count the objects of each window, and find out what they cover."""
    # Counted before they are placed, so that one array holds the members of all windows, each in its own stretch.
    for row in range(len(boxes)):
        window = _window(boxes[row], size, grid)
        counts[window] += 1
        for side in range(2):
            bounds[window, side] = min(bounds[window, side], boxes[row, side])
            bounds[window, side + 2] = max(bounds[window, side + 2], boxes[row, side + 2])


@kernel
def _sort(
    boxes: NDArray[np.int64],
    first: int,
    size: tuple[int, int],
    grid: tuple[int, int],
    places: NDArray[np.int64],
    order: NDArray[np.int64],
) -> None:
    """Write the numbers of some objects, from ``first`` on, to the next places of their windows."""
    # In the order of the table, so that a window's members ascend, whatever parts the table comes in.
    for row in range(len(boxes)):
        window = _window(boxes[row], size, grid)
        order[places[window]] = first + row
        places[window] += 1
