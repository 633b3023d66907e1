"""The network's maps of one image: kept on disk in groups of tiles, read tile by tile."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from cellscale.errors import DamagedStateError
from cellscale.pipeline.resume.state import RunState
from cellscale.predict.heads import MESMER_HEADS
from cellscale.predict.instanseg import SquareGrid
from cellscale.predict.tiles import STRIDE, TILE, TileGrid
from cellscale.records.stopwatch import Stopwatch
from cellscale.regions import Region

__all__ = ["GROUP", "GROUPS_AT_HAND", "Group", "GroupArrays", "Groups", "TileGroups", "TileStore", "maps_of", "unit"]

GROUP = 4
"""Tiles along a side of a group: the unit of prediction, of storage and of resume; of larger tiles fewer."""

GROUPS_AT_HAND = 12
"""Groups of tiles kept in memory: 16 MB each, those that one row of blocks shares with the next worker's."""

SURROUNDINGS = 576
"""Pixels around a block whose tiles are there until it is labelled; hardly any block needs more to be certain."""

ROWS_HELD = 8
"""Rows of groups that are on disk at most, unless a block needs more: those of two rows of blocks with their
surroundings, and as many ahead of them."""

_MAP_BYTES = len(MESMER_HEADS) * np.dtype(np.float32).itemsize
"""Of the maps of a pixel."""

Group: TypeAlias = tuple[int, int]
"""Row and column of a group among all groups."""

GroupArrays: TypeAlias = dict[str, NDArray[Any]]
"""A group as it is kept: the maps of its different tiles, and for each tile which of them are its own."""


class Groups(Protocol):
    """The tiles of an image in groups: the unit of prediction, of storage and of resume."""

    @property
    def grid(self) -> TileGrid | SquareGrid:
        """All tiles of the image."""

    def __iter__(self) -> Iterator[Group]:
        """Yield the groups in raster order."""

    def __len__(self) -> int:
        """Return the number of groups."""

    def near(self, block: Region) -> list[Group]:
        """Return the groups that are needed to label a block, as a rule."""

    @property
    def held(self) -> int:
        """Groups that are on disk at a time, as a rule."""

    @property
    def held_bytes(self) -> int:
        """Bytes of maps that are on disk at a time, as a rule, where both compartments are found."""

    @property
    def at_hand(self) -> int:
        """Groups that are kept in memory."""

    def only(self, chosen: Sequence[Group]) -> "Groups":
        """Return a share of them."""


@dataclass(frozen=True, slots=True)
class TileGroups:
    """The tiles of an image in groups, in raster order of groups and of tiles within a group."""

    grid: TileGrid
    chosen: tuple[Group, ...] | None = None
    """A share of them; None for all."""
    side: int | None = None
    """Tiles along a side of a group; None for as many as are as large as `GROUP` of Mesmer's."""
    surroundings: int | None = None
    """Pixels around a block that are needed to label it, as a rule; None for `SURROUNDINGS`."""

    def __iter__(self) -> Iterator[Group]:
        if self.chosen is not None:
            yield from self.chosen
            return
        for row in range(-(-self.grid.rows.count // self._side)):
            for column in range(-(-self.grid.columns.count // self._side)):
                yield row, column

    @property
    def _side(self) -> int:
        return self.side or max(GROUP * TILE // self.grid.tile, 1)

    def __len__(self) -> int:
        """Return the number of groups."""
        if self.chosen is not None:
            return len(self.chosen)
        return -(-self.grid.rows.count // self._side) * -(-self.grid.columns.count // self._side)

    def only(self, chosen: Sequence[Group]) -> "TileGroups":
        """Return a share of them."""
        return replace(self, chosen=tuple(chosen))

    def tiles(self, group: Group) -> list[tuple[int, int]]:
        """Return the row and column of each tile of a group."""
        side = self._side
        rows = range(group[0] * side, min((group[0] + 1) * side, self.grid.rows.count))
        columns = range(group[1] * side, min((group[1] + 1) * side, self.grid.columns.count))
        return [(row, column) for row in rows for column in columns]

    def touching(self, region: Region) -> list[Group]:
        """Return the groups whose tiles show any pixel of a region."""
        rows = self.grid.rows.touching(region.top, region.bottom)
        columns = self.grid.columns.touching(region.left, region.right)
        return [
            (row, column)
            for row in range(rows.start // self._side, (rows.stop - 1) // self._side + 1)
            for column in range(columns.start // self._side, (columns.stop - 1) // self._side + 1)
        ]

    def near(self, block: Region) -> list[Group]:
        """Return the groups that are needed to label a block, as a rule."""
        around = SURROUNDINGS if self.surroundings is None else self.surroundings
        return self.touching(block.grown(around, self.grid.shape))

    @property
    def held(self) -> int:
        """Groups that are on disk at a time, as a rule."""
        rows = ROWS_HELD * -(-GROUP * STRIDE // (self._side * self.grid.rows.stride))
        return rows * -(-self.grid.columns.count // self._side)

    @property
    def held_bytes(self) -> int:
        """Bytes of maps that are on disk at a time, as a rule, where both compartments are found."""
        return min(self.held * self._side**2, self.grid.count) * self.grid.tile**2 * _MAP_BYTES

    @property
    def at_hand(self) -> int:
        """Groups that are kept in memory."""
        return max(GROUPS_AT_HAND * (GROUP * TILE) ** 2 // (self._side * self.grid.tile) ** 2, 1)

    def slot(self, row: int, column: int) -> tuple[Group, int]:
        """Return the group of a tile and the tile's position in it."""
        side = self._side
        group = (row // side, column // side)
        width = min(side, self.grid.columns.count - group[1] * side)
        return group, (row % side) * width + column % side


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
    users
        The groups that each of those needs who will read tiles and say so by :meth:`finish`. What nobody needs is not
        predicted, and what nobody needs any more is dropped. None: all groups are wanted, and kept.
    """

    def __init__(
        self, state: RunState, groups: Groups, capacity: int, users: Iterable[Iterable[Group]] | None = None
    ) -> None:
        self.state = state
        self.groups = groups
        self.reading = Stopwatch()
        self.writing = Stopwatch()
        self.predict: Callable[[Group], None] | None = None
        """Predicts a group at once: a reader who sees further than most may need one that was dropped."""
        self._cache: LRUCache[Group, GroupArrays] = LRUCache(capacity)
        self._changed = threading.Condition()
        self._moving = threading.Lock()  # held while groups go, and while one comes back
        self._ready = {group for group in groups if state.has(unit(group))}
        self._users = None if users is None else Counter(group for user in users for group in user)
        wanted = {group for group in groups if self._users is None or self._users[group]}
        self._coming = wanted - self._ready
        self._waiting = 0
        self._failure: BaseException | None = None
        self._drop(self._ready - wanted)

    @property
    def missing(self) -> list[Group]:
        """Groups that are wanted and not predicted yet."""
        return [group for group in self.groups if group in self._coming]

    def to_predict(self, ahead: int) -> Iterator[Group]:
        """Yield the missing groups, pausing while more than ``ahead`` are there that nobody waits for."""
        for group in self.missing:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._failure or not self._is_full(ahead))
                if self._failure is not None:
                    raise self._failure
            yield group

    def put(self, group: Group, maps: NDArray[np.float32], places: NDArray[np.int64]) -> None:
        """Keep a group's maps and wake those who wait for them.

        Parameters
        ----------
        group
            Which group.
        maps
            Maps of its different tiles, ``(different tiles, tile, tile, k)``.
        places
            For each tile of the group, which of the maps are its own.
        """
        with self.writing.running():
            self.state.save(unit(group), maps=maps, places=places)
        with self._changed:
            self._ready.add(group)
            self._coming.discard(group)
            self._changed.notify_all()

    def finish(self, groups: Sequence[Group]) -> None:
        """Note that one of the users needs its groups no longer, and drop those that no other needs."""
        with self._changed:
            if self._users is None:
                return
            self._users.subtract(groups)
            unused = [group for group in groups if self._users[group] <= 0]
        self._drop(unused)

    def keep_all(self) -> None:
        """Drop nothing from now on: somebody will need more than was said."""
        with self._changed:
            self._users = None
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Tell those who wait that no more groups will come."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def read(self, row: int, column: int) -> NDArray[np.float32]:
        """Return one tile's maps, ``(tile, tile, k)``; waits until they are predicted."""
        return maps_of(cast(TileGroups, self.groups), self.load, row, column)

    def load(self, group: Group) -> GroupArrays:
        """Return a group's arrays; waits until it is predicted."""
        with self._changed:
            if group in self._cache:
                return self._cache[group]
        arrays = None
        while arrays is None:  # what is dropped between waiting and loading is predicted again
            self._wait_for(group)
            arrays = self._load(group)
        with self._changed:
            self._cache[group] = arrays
        return arrays

    def _wait_for(self, group: Group) -> None:
        """Return when a group is there."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: group not in self._coming or self._failure is not None)
            self._waiting -= 1
            if group in self._ready:
                return
            if self._failure is not None:
                raise self._failure
        with self._moving:
            if self.state.has(unit(group)):
                with self._changed:
                    self._ready.add(group)
            elif self.predict is not None:
                self.predict(group)

    def _load(self, group: Group) -> GroupArrays | None:
        """Return a group's arrays; None if it was dropped."""
        with self.reading.running():
            arrays = self.state.load(unit(group))
        if arrays is None and (group in self._ready or self.predict is None):
            raise DamagedStateError(f"{self.state.folder}: unit {unit(group)} was damaged or removed")
        return arrays

    def _is_full(self, ahead: int) -> bool:
        return self._users is not None and len(self._ready) >= ahead

    def _drop(self, groups: Collection[Group]) -> None:
        with self._moving:
            with self._changed:
                self._ready.difference_update(groups)
                for group in groups:
                    self._cache.pop(group, None)
                self._changed.notify_all()
            for group in groups:
                self.state.retire(unit(group))


def maps_of(groups: TileGroups, load: Callable[[Group], GroupArrays], row: int, column: int) -> NDArray[np.float32]:
    """Return one tile's maps, ``(tile, tile, k)``, from its group as ``load`` gives it."""
    group, position = groups.slot(row, column)
    arrays = load(group)
    maps: NDArray[np.float32] = arrays["maps"][arrays["places"][position]]
    return maps


def unit(group: Group) -> str:
    """Return the name under which a group's tiles are kept."""
    return f"tiles/{group[0]}_{group[1]}"
