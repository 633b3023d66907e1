"""Windows that slide down an image, so that each strip of rows is read once."""

from collections.abc import Sequence
from concurrent.futures import Executor, Future
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
        self._strips: dict[int, list[Future[NDArray[Any]]]] = {}

    def request(self, region: Region) -> None:
        """Start to read the strips of a window."""
        for index in self._indices(region):
            if index not in self._strips:
                top = index * self._height
                strip = Region(top, 0, min(top + self._height, self._shape[0]), self._shape[1])
                self._strips[index] = [self._pool.submit(reader, strip) for reader in self._readers]

    def release(self, top: int) -> None:
        """Forget the strips that end above row ``top``."""
        for index in [index for index in self._strips if (index + 1) * self._height <= top]:
            del self._strips[index]

    def read(self, region: Region, reader: int) -> NDArray[Any]:
        """Return the pixels of a requested window of full width from one reader."""
        parts = []
        for index in self._indices(region):
            strip, top = self._strips[index][reader].result(), index * self._height
            parts.append(strip[max(region.top - top, 0) : region.bottom - top])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _indices(self, region: Region) -> range:
        return range(region.top // self._height, -(-region.bottom // self._height))


def plan(tables: Sequence[NDArray[np.int64]], width: int, height: int) -> tuple[list[Work], list[Work]]:
    """Group objects by the strip in which they begin.

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
    Windows of full width from top to bottom, at most two strips high; and a window each for the objects that are
    taller than a strip, so that one of them does not make everybody's window large.
    """
    strips = [np.where(boxes[:, 2] - boxes[:, 0] > height, -1, boxes[:, 0] // height) for boxes in tables]
    orders = [np.argsort(of_table, kind="stable") for of_table in strips]
    bands = []
    for strip in np.unique(np.concatenate(strips)):
        members = tuple(_equal(of_table, order, strip) for of_table, order in zip(strips, orders, strict=True))
        bottom = max(int(boxes[rows, 2].max(initial=0)) for boxes, rows in zip(tables, members, strict=True))
        if strip >= 0:
            bands.append(Work(Region(int(strip) * height, 0, bottom, width), members))
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
