"""The network's maps of one image: kept on disk in groups of tiles, read tile by tile."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import DamagedStateError
from cellscale.pipeline.state import RunState
from cellscale.predict.tiles import TileGrid
from cellscale.records.stopwatch import Stopwatch

__all__ = ["GROUP", "Group", "TileGroups", "TileStore", "unit"]

GROUP = 4
"""Tiles along a side of a group: the unit of prediction, of storage and of resume."""

Group: TypeAlias = tuple[int, int]
"""Row and column of a group among all groups."""


@dataclass(frozen=True, slots=True)
class TileGroups:
    """The tiles of an image in groups, in raster order of groups and of tiles within a group."""

    grid: TileGrid

    def __iter__(self) -> Iterator[Group]:
        for row in range(-(-self.grid.rows.count // GROUP)):
            for column in range(-(-self.grid.columns.count // GROUP)):
                yield row, column

    def __len__(self) -> int:
        """Return the number of groups."""
        return -(-self.grid.rows.count // GROUP) * -(-self.grid.columns.count // GROUP)

    def tiles(self, group: Group) -> list[tuple[int, int]]:
        """Return the row and column of each tile of a group."""
        rows = range(group[0] * GROUP, min((group[0] + 1) * GROUP, self.grid.rows.count))
        columns = range(group[1] * GROUP, min((group[1] + 1) * GROUP, self.grid.columns.count))
        return [(row, column) for row in rows for column in columns]

    def slot(self, row: int, column: int) -> tuple[Group, int]:
        """Return the group of a tile and the tile's position in it."""
        group = (row // GROUP, column // GROUP)
        width = min(GROUP, self.grid.columns.count - group[1] * GROUP)
        return group, (row % GROUP) * width + column % GROUP


class TileStore:
    """Predicted tiles on disk, read one at a time from any thread, waiting for those still to come.

    Parameters
    ----------
    state
        The image's run state.
    groups
        The image's tiles.
    capacity
        Groups kept in memory for the next readers.
    """

    def __init__(self, state: RunState, groups: TileGroups, capacity: int) -> None:
        self.state = state
        self.groups = groups
        self.reading = Stopwatch()
        self.writing = Stopwatch()
        self._capacity = capacity
        self._cache: OrderedDict[Group, dict[str, NDArray[Any]]] = OrderedDict()
        self._changed = threading.Condition()
        self._ready = {group for group in groups if state.has(unit(group))}
        self._failure: BaseException | None = None

    @property
    def missing(self) -> list[Group]:
        """Groups that are not predicted yet."""
        return [group for group in self.groups if group not in self._ready]

    def put(self, group: Group, maps: NDArray[np.float32], places: NDArray[np.int64]) -> None:
        """Keep a group's maps and wake those who wait for them.

        Parameters
        ----------
        group
            Which group.
        maps
            Maps of its different tiles, ``(different tiles, 256, 256, k)``.
        places
            For each tile of the group, which of the maps are its own.
        """
        with self.writing.running():
            self.state.save(unit(group), maps=maps, places=places)
        with self._changed:
            self._ready.add(group)
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Tell those who wait that no more groups will come."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def read(self, row: int, column: int) -> NDArray[np.float32]:
        """Return one tile's maps, ``(256, 256, k)``; waits until they are predicted."""
        group, position = self.groups.slot(row, column)
        arrays = self._group(group)
        maps: NDArray[np.float32] = arrays["maps"][arrays["places"][position]]
        return maps

    def _group(self, group: Group) -> dict[str, NDArray[Any]]:
        with self._changed:
            self._changed.wait_for(lambda: group in self._ready or self._failure is not None)
            if group not in self._ready and self._failure is not None:
                raise self._failure
            if group in self._cache:
                self._cache.move_to_end(group)
                return self._cache[group]
        arrays = self._load(group)
        with self._changed:
            self._cache[group] = arrays
            while len(self._cache) > self._capacity:
                self._cache.popitem(last=False)
        return arrays

    def _load(self, group: Group) -> dict[str, NDArray[Any]]:
        with self.reading.running():
            arrays = self.state.load(unit(group))
        if arrays is None:
            raise DamagedStateError(f"{self.state.folder}: unit {unit(group)} was damaged or removed")
        return arrays


def unit(group: Group) -> str:
    """Return the name under which a group's tiles are kept."""
    return f"tiles/{group[0]}_{group[1]}"
