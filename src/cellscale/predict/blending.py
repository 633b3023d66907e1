"""Put the network's tiles together, so that neighbours fade into each other."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.predict.tiles import TileAxis, TileGrid
from cellscale.regions import Region

__all__ = ["TileReader", "blend", "window"]

TileReader: TypeAlias = Callable[[int, int], NDArray[np.float32]]
"""Answers for the row and column of a tile with the network's maps of it, float32 ``(tile, tile, maps)``."""


def blend(read_tile: TileReader, grid: TileGrid, region: Region) -> NDArray[np.float32]:
    """Return a region of the network's maps.

    Every pixel is the weighted sum of at most four tiles, in raster order in float64, so that it does not depend on
    the region it is computed in. Images of a single row or column of tiles are not blended: later tiles replace
    earlier ones.

    Parameters
    ----------
    read_tile
        Answers for the maps of one tile; asked for each tile that touches the region once, in raster order.
    grid
        The image's tiles.
    region
        What to compute, inside the image, not empty.

    Returns
    -------
    float32 ``(maps, rows, columns)``, C-contiguous.
    """
    output: NDArray[np.float32] | None = None
    above: list[_PlacedTile] = []
    for row in grid.rows.touching(region.top, region.bottom):
        columns = grid.columns.touching(region.left, region.right)
        tiles = [_PlacedTile(row, column, np.ascontiguousarray(read_tile(row, column))) for column in columns]
        if output is None:
            output = np.empty((tiles[0].maps.shape[-1], *region.shape), np.float32)
        # Only this row of tiles and the one above reach into the strip that ends where the next row begins.
        top = max(grid.rows.start(row), region.top)
        bottom = min(grid.rows.start(row + 1), region.bottom) if row < grid.rows.count - 1 else region.bottom
        if top < bottom:
            strip = Region(top, region.left, bottom, region.right)
            output[(slice(None), *strip.within(region))] = _total([*above, *tiles], grid, strip)
        above = tiles
    if output is None:
        raise ValueError(f"no tile touches {region}")
    return output


@dataclass(frozen=True, slots=True)
class _PlacedTile:
    """A tile with its maps."""

    row: int
    column: int
    maps: NDArray[np.float32]


def _total(tiles: list[_PlacedTile], grid: TileGrid, region: Region) -> NDArray[np.float64]:
    """Return the maps of a region that ``tiles``, in raster order, cover."""
    total = np.zeros((tiles[0].maps.shape[-1], *region.shape), np.float64)
    for tile in tiles:
        offset = (grid.rows.start(tile.row) - region.top, grid.columns.start(tile.column) - region.left)
        if grid.blended:
            weights = (window(grid.rows, tile.row), window(grid.columns, tile.column))
            _add_weighted(tile.maps, weights, offset, total)
        else:
            _replace(tile.maps, offset, total)
    return total


@kernel
def _add_weighted(
    tile: NDArray[np.float32],
    windows: tuple[NDArray[np.float64], NDArray[np.float64]],
    offset: tuple[int, int],
    total: NDArray[np.float64],
) -> None:
    """Add a tile ``(rows, columns, maps)`` to ``total`` ``(maps, rows, columns)``, as far as it lies inside.

    Parameters
    ----------
    tile
        The network's maps.
    windows
        Weights of the tile's rows and columns.
    offset
        Row and column of ``total`` that the tile's first pixel is; may be negative.
    total
        Added to.
    """
    # Cut to what lies inside before the loops, so that none of them tests each pixel.
    down, across = windows
    first, stop = max(-offset[1], 0), min(total.shape[2] - offset[1], tile.shape[1])
    for row in range(max(-offset[0], 0), min(total.shape[1] - offset[0], tile.shape[0])):
        for index in range(total.shape[0]):
            # Along a row of the result, which is read and written; the tile, only read, is gone through in steps.
            line = total[index, row + offset[0], first + offset[1] : stop + offset[1]]
            for column in range(line.size):
                weight = down[row] * across[first + column]
                line[column] += tile[row, first + column, index] * weight


def _replace(tile: NDArray[np.float32], offset: tuple[int, int], total: NDArray[np.float64]) -> None:
    """Write a tile over ``total``, as far as it lies inside; arguments as for `_add_weighted`."""
    top, left = (max(-start, 0) for start in offset)
    bottom, right = (
        min(size - start, side) for size, start, side in zip(total.shape[1:], offset, tile.shape, strict=False)
    )
    if top < bottom:
        place = (slice(None), slice(top + offset[0], bottom + offset[0]), slice(left + offset[1], right + offset[1]))
        total[place] = np.moveaxis(tile[top:bottom, left:right], -1, 0)


def window(axis: TileAxis, index: int) -> NDArray[np.float64]:
    """Return the weights along one axis of tile ``index``: 1 except where a neighbour overlaps.

    Returns
    -------
    float64, one value for each pixel of the tile.
    """
    return _window(axis.tile, axis.overlap, index > 0, index < axis.count - 1)


@cache
def _window(tile: int, overlap: int, fades_in: bool, fades_out: bool) -> NDArray[np.float64]:
    """Return the window of a tile with neighbours before or after it."""
    weights = np.ones(tile)
    spline = _squared_spline(2 * overlap)
    if fades_in:
        weights[:overlap] = spline[:overlap]
    if fades_out:
        weights[-overlap:] = spline[overlap:]
    weights.flags.writeable = False
    return weights


def _squared_spline(size: int) -> NDArray[np.float64]:
    """Return the squared-spline window: a parabola up from 0, then one that levels off at 1, and back."""
    half = (2 * np.arange(1, size // 2 + 1) - 1) / size
    triangle = np.concatenate((half, half[::-1]))
    quarter = size // 4
    outer = np.abs(2 * triangle) ** 2 / 2
    outer[quarter:-quarter] = 0
    inner = 1 - np.abs(2 * (triangle - 1)) ** 2 / 2
    inner[:quarter] = inner[-quarter:] = 0
    spline = outer + inner
    return np.asarray(spline / spline.max())
