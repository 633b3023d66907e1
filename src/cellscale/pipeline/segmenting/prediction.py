"""The network over all tiles of an image: input prepared ahead, devices kept busy, blank tiles predicted once."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cellscale.ordered import in_order, timed
from cellscale.pipeline.segmenting.tile_store import Group, TileGroups, TileStore
from cellscale.predict.network import Network
from cellscale.predict.tiles import tile_input
from cellscale.regions import Region, RegionReader, covering

__all__ = ["predict_group", "predict_groups"]

MOST_GROUPS = 32
"""Groups that are predicted at once, however few of their tiles show anything."""

MOST_BLANKS = 16
"""Kinds of blank tiles whose maps are remembered: 1 MB each."""


def predict_groups(
    store: TileStore,
    network: Network,
    read: RegionReader,
    *,
    workers: int,
    after_each: Callable[[float], None],
    ahead: int = sys.maxsize,
) -> None:
    """Predict the groups that are missing, the next ones' input being prepared meanwhile.

    Parameters
    ----------
    store
        Where the maps go.
    network
        Predicts; it is given several groups' tiles at once where its batches are large.
    read
        Answers for a region of the preprocessed image with float32 ``(2, rows, columns)``.
    workers
        Threads that prepare input.
    after_each
        Called after each group with the processor time that preparing it took; what it raises ends the prediction.
    ahead
        Groups that may be there without anybody waiting for the next one.
    """
    blanks = _BlankMaps()

    def prepare(group: Group) -> "_Input":
        return _prepared(store, group, read)

    def predict(inputs: "list[tuple[_Input, float]]") -> list[float]:
        for given, maps in _predicted([given for given, _ in inputs], network, blanks):
            store.put(given.group, maps, given.places)
        return [busy for _, busy in inputs]

    try:
        prepared = in_order(timed(prepare), store.to_predict(ahead), workers)
        for finished in in_order(predict, _in_batches(prepared, network.batch_size), network.calls):
            for busy in finished:
                after_each(busy)
    except BaseException as error:
        store.fail(error)
        raise


def predict_group(store: TileStore, network: Network, read: RegionReader, group: Group) -> None:
    """Predict one group now, out of turn; arguments as for `predict_groups`."""
    for given, maps in _predicted([_prepared(store, group, read)], network, _BlankMaps()):
        store.put(group, maps, given.places)


@dataclass(frozen=True, slots=True)
class _Input:
    """What the network gets for one group."""

    group: Group
    tiles: list[NDArray[np.float32]]
    """The different tiles, float32 ``(tile, tile, 2)`` each."""
    blank: list[bytes | None]
    """For each of them the values that a blank one consists of; None for one that shows something."""
    places: NDArray[np.int64]
    """For each tile of the group, which of the different ones it is."""

    @property
    def shown(self) -> int:
        """Number of tiles that show something."""
        return self.blank.count(None)


class _BlankMaps:
    """Maps of tiles of one value a channel: slides have much glass, and all of it has the same maps."""

    def __init__(self) -> None:
        self._maps: dict[bytes, NDArray[np.float32]] = {}
        self._lock = Lock()

    def get(self, values: bytes | None) -> NDArray[np.float32] | None:
        """Return the maps of a blank tile of these values; None where they are not known."""
        with self._lock:
            return None if values is None else self._maps.get(values)

    def keep(self, values: bytes | None, maps: NDArray[np.float32]) -> None:
        """Remember the maps of a tile if it is blank."""
        with self._lock:
            if values is not None and len(self._maps) < MOST_BLANKS:
                self._maps.setdefault(values, maps.copy())


def _prepared(store: TileStore, group: Group, read: RegionReader) -> _Input:
    """Return the input of a group, equal blank tiles once."""
    groups = cast(TileGroups, store.groups)
    grid = groups.grid
    places = groups.tiles(group)
    region = covering([grid.region(row, column) for row, column in places])
    pixels = read(region)

    def inner(part: Region) -> NDArray[np.float32]:
        return pixels[(slice(None), *part.within(region))]

    tiles: list[NDArray[np.float32]] = []
    blank: list[bytes | None] = []
    positions = []
    for row, column in places:
        tile = tile_input(inner, grid, row, column)
        values = _blank_values(tile)
        if values is None or values not in blank:
            tiles.append(tile)
            blank.append(values)
        positions.append(len(tiles) - 1 if values is None else blank.index(values))
    return _Input(group, tiles, blank, np.array(positions, np.int64))


def _blank_values(tile: NDArray[np.float32]) -> bytes | None:
    """Return the values of a tile of one value a channel; None for any other."""
    first = tile[0, 0]
    # Most tiles that show something already do in their first row.
    return first.tobytes() if (tile[0] == first).all() and (tile == first).all() else None


def _in_batches(inputs: Iterable[tuple[_Input, float]], batch_size: int) -> Iterator[list[tuple[_Input, float]]]:
    """Yield groups together whose tiles fill a batch."""
    together: list[tuple[_Input, float]] = []
    shown = 0
    for given, busy in inputs:
        together.append((given, busy))
        shown += given.shown
        if shown >= batch_size or len(together) == MOST_GROUPS:
            yield together
            together, shown = [], 0
    if together:
        yield together


def _predicted(
    inputs: list[_Input], network: Network, blanks: _BlankMaps
) -> Iterator[tuple[_Input, NDArray[np.float32]]]:
    """Yield each group with the maps of its different tiles."""
    known = [[blanks.get(values) for values in given.blank] for given in inputs]
    wanted = [
        tile
        for given, found in zip(inputs, known, strict=True)
        for tile, maps in zip(given.tiles, found, strict=True)
        if maps is None
    ]
    fresh = network.predict(np.stack(wanted)) if wanted else np.empty(0, np.float32)
    start = 0
    for given, found in zip(inputs, known, strict=True):
        stop = start + sum(maps is None for maps in found)
        own, start = fresh[start:stop], stop
        if len(own) == len(found):
            maps = own  # as they came, without another copy
        else:
            new = iter(own)
            maps = np.stack([next(new) if old is None else old for old in found])
        for values, map_of in zip(given.blank, maps, strict=True):
            blanks.keep(values, map_of)
        yield given, maps
