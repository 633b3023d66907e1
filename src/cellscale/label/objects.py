"""Facts of objects that add up over blocks: size, bounding box, Euler number.

The Euler number is counted in 2 x 2 windows: each with one pixel of the object adds a quarter, each with three
takes a quarter away, and each with two on a diagonal takes away a half.

References
----------
Gray, Local properties of binary images in two dimensions, IEEE Transactions on Computers C-20, 1971.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Labels

__all__ = ["Objects", "complete_objects", "measure", "merge_objects", "no_objects"]

_FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Objects:
    """What is known of objects, whole or in part; one row an object, ascending by identity."""

    identities: NDArray[np.int64]
    """One more than the row-major index in the whole image of the first pixel of the object's marker."""

    sizes: NDArray[np.int64]
    """Number of pixels."""

    boxes: NDArray[np.int64]
    """(n, 4): top, left, bottom, right, half open; of a part without pixels, a box that any other one replaces."""

    euler_quarters: NDArray[np.int64]
    """Four times the Euler number for 8-connectivity, over the windows counted."""

    def __len__(self) -> int:
        return self.identities.size

    def take(self, rows: NDArray[Any]) -> "Objects":
        """Return the objects that ``rows`` selects, by index or by truth value."""
        return Objects(*(getattr(self, field.name)[rows] for field in fields(self)))


def no_objects() -> Objects:
    """Return a table without rows."""
    none = np.empty(0, np.int64)
    return Objects(none, none, np.empty((0, 4), np.int64), none)


@kernel
def measure(labels: Labels, height: int, width: int, objects: int) -> NDArray[np.int64]:
    """Measure the part of each object that a block owns.

    A block owns its core's pixels, and every window whose lower right pixel is in its core or lies beyond an edge of
    the image at which its core ends.

    Parameters
    ----------
    labels
        The core with one more row above and column to the left, and, where the core ends at the image's lower or
        right edge, one more there; int32, objects above 0.
    height, width
        Of the core.
    objects
        The highest label.

    Returns
    -------
    int64 of shape (objects + 1, 7), a row for each label: pixels; top, left, bottom and right relative to the core;
    four times the Euler number; windows that hold a border of the object.
    """
    facts = np.zeros((objects + 1, 7), np.int64)
    facts[:, 1:3] = _FAR
    # By runs of equal labels, not by pixels: a run changes its object's row in the table once.
    for row in range(1, height + 1):
        start = 1
        for column in range(2, width + 2):
            label = labels[row, start]
            if column == width + 1 or labels[row, column] != label:
                if label > 0:
                    facts[label, 0] += column - start
                    facts[label, 1] = min(facts[label, 1], row - 1)
                    facts[label, 2] = min(facts[label, 2], start - 1)
                    facts[label, 3] = row
                    facts[label, 4] = max(facts[label, 4], column - 1)
                start = column
    # Inside an object or the background all four pixels are alike and nothing counts; that is most windows.
    for row in range(1, labels.shape[0]):
        a, c = labels[row - 1, 0], labels[row, 0]
        for column in range(1, labels.shape[1]):
            b, d = labels[row - 1, column], labels[row, column]
            if a != b or c != d or a != c:
                _count_window(facts, a, b, c, d)
            a, c = b, d
    return facts


@kernel
def _count_window(facts: NDArray[np.int64], a: int, b: int, c: int, d: int) -> None:
    """Count the window with a, b above c, d, once for each object in it."""
    _count_object(facts, a, b, c, d)
    if b != a:
        _count_object(facts, b, a, d, c)
    if c not in (a, b):
        _count_object(facts, c, d, a, b)
    if d not in (a, b, c):
        _count_object(facts, d, c, b, a)


@kernel
def _count_object(facts: NDArray[np.int64], label: int, beside: int, below: int, across: int) -> None:
    """Count a window for the object at one of its corners, of which no corner counted earlier is a part."""
    if label <= 0:
        return
    pixels = 1 + (beside == label) + (below == label) + (across == label)
    if pixels == 1:
        facts[label, 5] += 1
    elif pixels == 3:
        facts[label, 5] -= 1
    elif across == label:
        facts[label, 5] -= 2
    facts[label, 6] += 1


def merge_objects(parts: Iterable[Objects]) -> Objects:
    """Add up what blocks know of their objects.

    Parameters
    ----------
    parts
        One for each block of the image, in any order.

    Returns
    -------
    Every object of the image.
    """
    rows = [no_objects(), *parts]
    identities = np.concatenate([part.identities for part in rows])
    order = np.argsort(identities, kind="stable")
    identities = identities[order]
    starts = np.flatnonzero(np.diff(identities, prepend=0))
    boxes = np.concatenate([part.boxes for part in rows])[order]
    return Objects(
        identities[starts],
        np.add.reduceat(np.concatenate([part.sizes for part in rows])[order], starts),
        np.hstack([np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)]),
        np.add.reduceat(np.concatenate([part.euler_quarters for part in rows])[order], starts),
    )


def complete_objects(rows: Iterable[Iterable[Objects]]) -> Iterator[Objects]:
    """Add up what rows of blocks know of their objects, and let go of each object as soon as it is whole.

    Parameters
    ----------
    rows
        For each row of blocks, from the image's top to its bottom, what each block knows. An object that reaches
        two rows of blocks has a part in each row between.

    Yields
    ------
    Every object of the image once, some at a time; ascending by identity among those, but not from one time to the
    next.
    """
    unfinished = no_objects()
    for row in rows:
        found = merge_objects(row)
        merged = merge_objects([unfinished, found])
        may_go_on = np.isin(merged.identities, found.identities, assume_unique=True)
        yield merged.take(~may_go_on)
        unfinished = merged.take(may_go_on)
    yield unfinished
