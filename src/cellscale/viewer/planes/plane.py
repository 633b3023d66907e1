"""One plane of a file, read at any level: from the file's own pyramid, from full resolution, or from an overview."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.images.info import ImageInfo
from cellscale.regions import Region
from cellscale.viewer.planes.grid import TILE, finer, level_shape
from cellscale.viewer.planes.plane_overview import PlaneOverview
from cellscale.viewer.planes.reduction import Reduce, fitted

__all__ = ["PlaneReader", "Source", "pyramid_of"]

_SMALL = 2048
"""A file's level of at most so many rows and columns is read whole for a tile."""

_WIDE = 32 * 2**20
"""Decoded bytes for one tile of full resolution above which labels in wide strips are kept again in tiles."""

_PIECE_BYTES = 32 * 2**20
"""What is read at once while an overview is made."""

Starter = Callable[[PlaneOverview], None]
"""Has an overview made in the background."""


@dataclass(frozen=True, slots=True)
class Source:
    """A plane in a file."""

    info: ImageInfo

    read: Callable[[Region, int], NDArray[Any]]
    """Returns (rows, columns) of a region at one of the file's levels."""

    levels: dict[int, int]
    """The file's level for each of ours that it has; ours has 1/2^level of the rows."""


def pyramid_of(info: ImageInfo) -> dict[int, int]:
    """Return which of a file's levels are 1/2, 1/4 and so on of its size, by the power of two."""
    found = {0: 0}
    for number, shape in enumerate(info.levels[1:], 1):
        level = round(np.log2(max(info.shape) / max(*shape, 1)))
        wanted = level_shape(info.shape, level)
        if level > 0 and all(abs(size - ours) <= 1 for size, ours in zip(shape, wanted, strict=True)):
            found.setdefault(level, number)
    return found


class PlaneReader:
    """Reads regions of a plane at any level, from any thread.

    Parameters
    ----------
    source
        The plane in its file.
    reduce
        How pixels are joined for a coarser level.
    start
        Called at the first read that needs an overview; after that, what is not made yet reads as 0.
    labels
        Whether it is a plane of labels. They are in strips as a rule, but small when compressed, so that more of
        their levels are kept; of intensities, a tile is also made from pixels twice as fine.
    """

    def __init__(self, source: Source, reduce: Reduce, start: Starter, *, labels: bool = False) -> None:
        self._source = source
        self._reduce = reduce
        self._start = start
        self._coarsest = max(source.levels)
        first = self._first_kept(labels=labels)
        self._overview = None if first is None else self._make_overview(first)
        self._started = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns at full resolution."""
        return self._source.info.shape

    def read(self, level: int, region: Region) -> tuple[NDArray[Any], bool]:
        """Return (rows, columns) of a region, in pixels of the level, and whether all of it is known already."""
        overview = self._overview
        if overview is None or level < overview.first:
            return self._direct(level, region), True
        if not self._started:  # starting it twice would do no harm
            self._started = True
            self._start(overview)
        pixels, complete = overview.read(level, region)
        if not complete and level <= self._coarsest + 1:
            return self._direct(level, region), True
        return pixels, complete

    def stop(self) -> None:
        """Give up what is being made in the background."""
        if self._overview is not None:
            self._overview.stop()

    def _first_kept(self, *, labels: bool) -> int | None:
        """Return the finest level that needs an overview; None where the file has all that is needed."""
        info = self._source.info
        if labels and self._coarsest == 0 and info.chunk[1] * TILE * info.dtype.itemsize > _WIDE:
            return 0
        if max(level_shape(info.shape, self._coarsest)) <= _SMALL:
            return None
        return self._coarsest + (1 if labels else 2)

    def _make_overview(self, first: int) -> PlaneOverview:
        _, width = level_shape(self.shape, first)
        info = self._source.info
        finer_rows = (1 << (first - self._coarsest)) * info.levels[self._source.levels[self._coarsest]][1]
        step = max(1, _PIECE_BYTES // (finer_rows * info.dtype.itemsize))

        def band(top: int, bottom: int) -> NDArray[Any]:
            pieces = [Region(row, 0, min(row + step, bottom), width) for row in range(top, bottom, step)]
            return np.concatenate([self._direct(first, piece) for piece in pieces])

        return PlaneOverview(self.shape, first, info.dtype, reduce=self._reduce, read_band=band)

    def _direct(self, level: int, region: Region) -> NDArray[Any]:
        """Return a region made from the nearest finer level of the file."""
        base = max(have for have in self._source.levels if have <= level)
        number, ratio = self._source.levels[base], 1 << (level - base)
        shape = self._source.info.levels[number]
        return fitted(self._reduce(self._source.read(finer(region, ratio, shape), number), ratio), region.shape)
