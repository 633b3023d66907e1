"""Windows that slide down an image, so that each strip of rows is read once."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region, RegionReader

__all__ = ["Strips", "Work", "plan"]


@dataclass(frozen=True, slots=True)
class Work:
    """Objects that are worked on in one window of the image."""

    region: Region
    """The window: it holds all of them whole."""

    members: tuple[NDArray[np.int64], ...]
    """Rows of the objects, for each table of boxes that was planned for."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """Consecutive rows of all readers."""

    top: int
    bottom: int

    rows: Sequence[Callable[[], NDArray[Any]]]
    """Answer with the rows of each reader, as soon as they are read."""

    def below(self, top: int) -> "_Strip":
        """Return the rows from ``top`` on, and let go of the others."""
        return _Strip(top, self.bottom, [_always(rows()[top - self.top :].copy()) for rows in self.rows])


def _always(rows: NDArray[Any]) -> Callable[[], NDArray[Any]]:
    """Return a function that answers with these rows."""
    return lambda: rows


class Strips:
    """Reads windows of full width from several readers, ahead of need and each strip of rows once.

    Parameters
    ----------
    readers
        What is read, each with its own data type.
    shape
        Rows and columns of the image.
    height
        Rows in a strip.
    pool
        Where strips are read.
    """

    def __init__(self, readers: Sequence[RegionReader], shape: tuple[int, int], height: int, pool: Executor) -> None:
        self._readers = readers
        self._shape = shape
        self._height = height
        self._pool = pool
        self._strips: dict[int, _Strip] = {}

    def request(self, region: Region) -> None:
        """Start to read the strips of a window."""
        for index in self._indices(region):
            if index not in self._strips:
                top = index * self._height
                strip = Region(top, 0, min(top + self._height, self._shape[0]), self._shape[1])
                rows = [self._pool.submit(reader, strip).result for reader in self._readers]
                self._strips[index] = _Strip(strip.top, strip.bottom, rows)

    def release(self, top: int) -> None:
        """Forget the rows above ``top``."""
        self._strips = {
            index: strip if strip.top >= top else strip.below(top)
            for index, strip in self._strips.items()
            if strip.bottom > top
        }

    def read(self, region: Region, reader: int) -> NDArray[Any]:
        """Return the pixels of a requested window of full width from one reader."""
        parts = []
        for index in self._indices(region):
            strip = self._strips[index]
            rows = strip.rows[reader]()
            parts.append(rows[max(region.top - strip.top, 0) : region.bottom - strip.top])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _indices(self, region: Region) -> range:
        return range(region.top // self._height, -(-region.bottom // self._height))


def plan(tables: Sequence[NDArray[np.int64]], width: int, height: int) -> tuple[list[Work], list[Work]]:
    """Group objects by the strip in which they end.

    Parameters
    ----------
    tables
        For each kind of objects their boxes: top, left, bottom, right, ``(n, 4)``.
    width
        Columns of the image.
    height
        Rows in a strip.

    Returns
    -------
    Windows of full width from top to bottom, each within two strips; and a window each for the objects that are
    taller than a strip, so that one of them does not make everybody's window large.
    """
    strips = [np.where(boxes[:, 2] - boxes[:, 0] > height, -1, (boxes[:, 2] - 1) // height) for boxes in tables]
    orders = [np.argsort(of_table, kind="stable") for of_table in strips]
    bands = []
    for strip in np.unique(np.concatenate(strips)):
        members = tuple(_equal(of_table, order, strip) for of_table, order in zip(strips, orders, strict=True))
        if strip >= 0:
            boxes = np.concatenate([boxes[rows] for boxes, rows in zip(tables, members, strict=True)])
            bands.append(Work(Region(int(boxes[:, 0].min()), 0, int(boxes[:, 2].max()), width), members))
    tall = [
        Work(
            Region(*tables[table][row].tolist()),
            tuple(np.array([row] * (k == table), dtype=np.int64) for k in range(len(tables))),
        )
        for table, of_table in enumerate(strips)
        for row in np.flatnonzero(of_table < 0)
    ]
    return bands, tall


def _equal(keys: NDArray[np.int64], order: NDArray[np.int64], key: int) -> NDArray[np.int64]:
    """Return, ascending, where sorted keys equal ``key``."""
    start, stop = np.searchsorted(keys, (key, key + 1), sorter=order)
    return order[start:stop]
