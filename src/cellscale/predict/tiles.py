"""How an image is cut into overlapping tiles for the network, of 256 x 256 pixels unless it says otherwise."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region, RegionReader

__all__ = ["OVERLAP", "STRIDE", "TILE", "TileAxis", "TileGrid", "tile_input"]

TILE = 256
"""Rows and columns of a tile of Mesmer's."""

STRIDE = 192
"""Pixels from one tile's first row to the next one's."""

OVERLAP = TILE - STRIDE
"""Pixels that neighbouring tiles share."""


@dataclass(frozen=True, slots=True)
class TileAxis:
    """The tiles along the rows or the columns of an image."""

    length: int
    """Pixels of the image along the axis."""
    tile: int = TILE
    """Pixels of a tile."""
    overlap: int = OVERLAP
    """Pixels that neighbouring tiles share: at most half of a tile."""

    @property
    def stride(self) -> int:
        """Pixels from one tile's first to the next one's."""
        return self.tile - self.overlap

    @property
    def reflected(self) -> bool:
        """Whether the image is shorter than a tile and mirrored to its size, rather than padded with zeros."""
        return self.length < self.tile

    @property
    def count(self) -> int:
        """Number of tiles."""
        return max(math.ceil((self.length - self.tile) / self.stride) + 1, 1)

    @property
    def before(self) -> int:
        """Pixels that the first tile begins before the image."""
        padding = self.tile + self.stride * (self.count - 1) - self.length
        return padding // 2 if self.reflected else (padding + 1) // 2

    def start(self, index: int) -> int:
        """Return the image coordinate of the first pixel of tile ``index``; negative where it is padding."""
        return self.stride * index - self.before

    def inside(self, index: int) -> tuple[int, int]:
        """Return the image coordinates between which tile ``index`` shows the image itself."""
        start = self.start(index)
        return max(start, 0), min(start + self.tile, self.length)

    def touching(self, start: int, stop: int) -> range:
        """Return the tiles that show any of the image's pixels from ``start`` to ``stop - 1``."""
        first = (start + self.before - self.tile) // self.stride + 1
        last = (stop - 1 + self.before) // self.stride
        return range(max(first, 0), min(last, self.count - 1) + 1)


@dataclass(frozen=True, slots=True)
class TileGrid:
    """All tiles of an image; tile ``(row, column)`` is the row-th from the top, the column-th from the left."""

    rows: TileAxis
    columns: TileAxis

    @classmethod
    def of(cls, shape: tuple[int, int], tile: int = TILE, overlap: int = OVERLAP) -> "TileGrid":
        """Return the grid for an image of ``shape`` rows and columns, at least 1 each."""
        return cls(TileAxis(shape[0], tile, overlap), TileAxis(shape[1], tile, overlap))

    @property
    def tile(self) -> int:
        """Rows and columns of a tile."""
        return self.rows.tile

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the image."""
        return self.rows.length, self.columns.length

    @property
    def count(self) -> int:
        """Number of tiles."""
        return self.rows.count * self.columns.count

    @property
    def computed_pixels(self) -> int:
        """Pixels that the network computes: neighbouring tiles share some, and some are padding."""
        return self.count * self.tile**2

    @property
    def blended(self) -> bool:
        """Whether overlapping tiles are blended; otherwise later ones replace earlier ones."""
        return self.rows.count > 1 and self.columns.count > 1

    def region(self, row: int, column: int) -> Region:
        """Return the part of the image that a tile shows, without its padding."""
        top, bottom = self.rows.inside(row)
        left, right = self.columns.inside(column)
        return Region(top, left, bottom, right)

    def touching(self, region: Region) -> list[tuple[int, int]]:
        """Return the row and column of every tile that shows any pixel of ``region``, in raster order."""
        columns = self.columns.touching(region.left, region.right)
        return [(row, column) for row in self.rows.touching(region.top, region.bottom) for column in columns]


def tile_input(read: RegionReader, grid: TileGrid, row: int, column: int) -> NDArray[np.float32]:
    """Return what the network gets for one tile.

    Parameters
    ----------
    read
        Answers for a region of the preprocessed image with float32 ``(channels, rows, columns)``.
    grid
        The image's tiles.
    row, column
        Which tile.

    Returns
    -------
    float32 ``(tile, tile, channels)``.
    """
    region = grid.region(row, column)
    pixels = _reflected(_reflected(read(region), 1, grid.rows), 2, grid.columns)
    top = 0 if grid.rows.reflected else region.top - grid.rows.start(row)
    left = 0 if grid.columns.reflected else region.left - grid.columns.start(column)
    tile = np.zeros((grid.tile, grid.tile, len(pixels)), np.float32)
    # Channel by channel, NumPy copies whole rows at a time.
    for index, channel in enumerate(pixels):
        tile[top : top + channel.shape[0], left : left + channel.shape[1], index] = channel
    return tile


def _reflected(pixels: NDArray[np.float32], dimension: int, axis: TileAxis) -> NDArray[np.float32]:
    """Return ``pixels`` mirrored along a dimension to the size of a tile, where the image is shorter than one."""
    if not axis.reflected:
        return pixels
    padding = [(0, 0)] * pixels.ndim
    padding[dimension] = (axis.before, axis.tile - axis.before - axis.length)
    return np.pad(pixels, padding, mode="reflect")
