"""Smaller copies of one plane, made from top to bottom while they are being looked at."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec

from cellscale.regions import Region
from cellscale.storage.storage_errors import explained
from cellscale.viewer.overview_cache import OverviewCache
from cellscale.viewer.planes.grid import level_count, level_shape
from cellscale.viewer.planes.reduction import Reduce, fitted

__all__ = ["BandReader", "PlaneOverview"]

BandReader = Callable[[int, int], NDArray[Any]]
"""Returns the rows from one to another, over the whole width, at an overview's first level."""

_BAND = 256
"""Rows of the first level that are made at once."""

_CHUNK_WIDTH = 512
_SHARD_CHUNKS = 32
_HELD = 1024
"""Levels of at most so many rows and columns stay in memory until all is done: their chunks would be slivers."""


class _Stopped(Exception):  # noqa: N818 - nothing is wrong
    """Nobody is waiting for the overview any more."""


class PlaneOverview:
    """The levels of a plane from some level on, kept in the user's cache.

    Parameters
    ----------
    shape
        Rows and columns at full resolution.
    first
        The finest level that is kept.
    dtype
        Of the pixels.
    reduce
        How two by two pixels become one.
    read_band
        Gives the first level.
    """

    def __init__(
        self, shape: tuple[int, int], first: int, dtype: np.dtype[Any], *, reduce: Reduce, read_band: BandReader
    ) -> None:
        self._shape = shape
        self.first = first
        self._dtype = dtype
        self._reduce = reduce
        self._read_band = read_band
        self._levels: dict[int, Any] = {}
        self._rows = 0
        self._problem: Exception | None = None
        self._stop = threading.Event()

    def make(self, cache: OverviewCache, *identity: str) -> None:
        """Open the finished overview of an earlier session, or make it; ends early after :meth:`stop`.

        Parameters
        ----------
        cache
            Where it is kept.
        identity
            What it is an overview of; other pixels must have another.
        """
        identity = (*identity, str(self.first))
        try:
            folder = cache.finished(*identity)
            if folder is not None:
                self._levels = {level: zarr.open_array(folder / str(level), mode="r") for level in self._numbers()}
                self._rows = self._height
                return
            with cache.growing(*identity) as folder, explained("write", folder):
                self._write(folder)
        except _Stopped:
            return
        except Exception as error:  # whatever it is, the readers in other threads must hear of it
            self._problem = error

    def stop(self) -> None:
        """Make :meth:`make` end after the band it is at."""
        self._stop.set()

    def read(self, level: int, region: Region) -> tuple[NDArray[Any], bool]:
        """Return a region of a level, and whether all of it is there; what is not is 0.

        Raises
        ------
        Exception
            What :meth:`make` was stopped by.
        """
        if self._problem is not None:
            raise self._problem
        complete = region.bottom << (level - self.first) <= self._rows or self._rows >= self._height
        source = self._levels.get(level)
        if source is None:  # nothing is begun yet
            return np.zeros(region.shape, self._dtype), False
        return np.asarray(source[region.slices]), complete

    @property
    def _height(self) -> int:
        return level_shape(self._shape, self.first)[0]

    def _numbers(self) -> range:
        return range(self.first, max(level_count(self._shape), self.first + 1))

    def _write(self, folder: Path) -> None:
        shapes = {level: level_shape(self._shape, level) for level in self._numbers()}
        arrays = {level: self._array(folder, level, shape) for level, shape in shapes.items()}
        held = {level: np.zeros(shape, self._dtype) for level, shape in shapes.items() if max(shape) <= _HELD}
        self._levels = {**arrays, **held}
        for top in range(0, self._height, _BAND):
            if self._stop.is_set():
                raise _Stopped
            bottom = min(top + _BAND, self._height)
            self._add(top, self._read_band(top, bottom))
            self._rows = bottom
        for level, pixels in held.items():
            arrays[level][:] = pixels

    def _add(self, top: int, band: NDArray[Any]) -> None:
        """Write a band of the first level, and what becomes of it at the others."""
        for level in self._numbers():
            start = top >> (level - self.first)
            if level > self.first:
                band = self._reduce(band, 2)
            height, width = level_shape(self._shape, level)
            band = fitted(band, (min(len(band), height - start), width))
            self._levels[level][start : start + len(band)] = band

    def _array(self, folder: Path, level: int, shape: tuple[int, int]) -> "zarr.Array[Any]":
        """Make a level's array, whose chunks are as high as a band is there."""
        rows = max(_BAND >> (level - self.first), 1)
        width = _CHUNK_WIDTH * _BAND // rows
        across = min(-(-shape[1] // width), _SHARD_CHUNKS)
        return zarr.create_array(
            folder / str(level),
            shape=shape,
            dtype=self._dtype,
            chunks=(rows, width),
            shards=(rows, width * across),
            compressors=ZstdCodec(level=1),
            fill_value=0,
            zarr_format=3,
        )
