"""The network's maps of a crop, kept; what lies farther away is predicted when a label depends on it."""

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TypeAlias, cast

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from cellscale.label.maps import MapReader
from cellscale.pipeline.resume import RunState
from cellscale.pipeline.segmenting.methods import AnyNetwork, Method, map_reader
from cellscale.pipeline.segmenting.preparation import Prepared
from cellscale.pipeline.segmenting.tile_store import TileGroups, TileStore
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.regions import Region

__all__ = ["CropMaps"]

_FAR_TILES = 64
"""Tiles beyond the crop that are kept in memory."""

_FAR_READS = 16
"""Regions that reach beyond what is kept whose maps are remembered: most settings ask for the same ones."""

_Maps: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]


class CropMaps:
    """Maps of all compartments.

    Parameters
    ----------
    method, network
        What predicts; the network finds all of `COMPARTMENTS`.
    prepared
        The whole image as the network is to see it.
    state
        Where tiles are kept.
    seen
        What is predicted now, at the network's pixel size.
    workers
        Threads that prepare input.
    after_each
        Called after each tile; what it raises ends the prediction.
    """

    def __init__(
        self,
        method: Method,
        network: AnyNetwork,
        prepared: Prepared,
        state: RunState,
        seen: Region,
        workers: int,
        after_each: Callable[[float], None],
    ) -> None:
        groups = cast(TileGroups, method.groups(prepared.shape, each_alone=True))
        near = groups.touching(seen)
        self._tiles = TileStore(state, groups, len(near) + _FAR_TILES, [near])
        self._tiles.predict = partial(method.predict_one, self._tiles, network, prepared.read)
        method.predict(self._tiles, network, prepared.read, workers=workers, after_each=after_each)
        self._tiles.keep_all()
        self._seen = seen
        self._remembered: LRUCache[tuple[Compartment, Region], _Maps] = LRUCache(_FAR_READS)
        self._lock = Lock()
        self._grid = groups.grid
        self._kept = {name: self._far(name)(seen) for name in COMPARTMENTS}

    def reader(self, compartment: Compartment) -> MapReader:
        """Return a reader of one compartment's maxima and interior, of any region of the image."""
        kept = self._kept[compartment]

        def read(region: Region) -> _Maps:
            if not _holds(self._seen, region):
                return self._beyond(compartment, region)
            inside = region.within(self._seen)
            return kept[0][inside], kept[1][inside]

        return read

    def _beyond(self, compartment: Compartment, region: Region) -> _Maps:
        """Return the maps of a region that reaches beyond what is kept."""
        with self._lock:
            found = self._remembered.get((compartment, region))
        if found is None:
            found = self._far(compartment)(region)
            with self._lock:
                self._remembered[compartment, region] = found
        return found

    def _far(self, compartment: Compartment) -> MapReader:
        return map_reader(self._tiles.read, self._grid, COMPARTMENTS.index(compartment))


def _holds(outer: Region, inner: Region) -> bool:
    return (
        outer.top <= inner.top
        and outer.left <= inner.left
        and outer.bottom >= inner.bottom
        and outer.right >= inner.right
    )
