"""Put the network's tiles together, so that neighbours fade into each other."""

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.predict.tiles import OVERLAP, TILE, TileAxis, TileGrid
from cellscale.regions import Region

__all__ = ["TileReader", "blend", "window"]

TileReader: TypeAlias = Callable[[int, int], NDArray[np.float32]]
"""Answers for the row and column of a tile with the network's maps of it, float32 ``(256, 256, maps)``."""


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
    columns = grid.columns.touching(region.left, region.right)
    rows = grid.rows.touching(region.top, region.bottom)
    tiles: list[tuple[int, int, NDArray[np.float32]]] = []
    strips: list[NDArray[np.float32]] = []
    for row in rows:
        # Only this row of tiles and the one above reach into the strip down to the next row's first pixel.
        tiles = [tile for tile in tiles if tile[0] == row - 1]
        tiles += [(row, column, read_tile(row, column)) for column in columns]
        top = region.top if row == rows.start else max(grid.rows.start(row), region.top)
        bottom = region.bottom if row == rows.stop - 1 else min(grid.rows.start(row + 1), region.bottom)
        if top < bottom:
            strips.append(_strip(tiles, grid, Region(top, region.left, bottom, region.right)))
    return strips[0] if len(strips) == 1 else np.concatenate(strips, axis=1)


def _strip(tiles: list[tuple[int, int, NDArray[np.float32]]], grid: TileGrid, region: Region) -> NDArray[np.float32]:
    """Return the maps of a region that ``tiles``, given with their rows and columns in raster order, cover."""
    total = np.zeros((tiles[0][2].shape[-1], *region.shape), np.float64)
    for row, column, tile in tiles:
        part = _overlap(grid.region(row, column), region)
        if part.height <= 0:
            continue
        start = (grid.rows.start(row), grid.columns.start(column))
        inner = tile[part.top - start[0] : part.bottom - start[0], part.left - start[1] : part.right - start[1]]
        target = total[(slice(None), *part.within(region))]
        if grid.blended:
            down = window(grid.rows, row)[part.top - start[0] : part.bottom - start[0]]
            across = window(grid.columns, column)[part.left - start[1] : part.right - start[1]]
            _add_weighted(inner, down, across, target)
        else:
            target[...] = np.moveaxis(inner, -1, 0)
    return total.astype(np.float32)


def _overlap(one: Region, other: Region) -> Region:
    """Return the rectangle that both cover; its height or width is not positive where they do not meet."""
    return Region(
        max(one.top, other.top), max(one.left, other.left), min(one.bottom, other.bottom), min(one.right, other.right)
    )


@kernel
def _add_weighted(
    tile: NDArray[np.float32], down: NDArray[np.float64], across: NDArray[np.float64], total: NDArray[np.float64]
) -> None:
    """Add ``tile`` (rows, columns, maps), weighted by two windows, to ``total`` (maps, rows, columns)."""
    for index in range(total.shape[0]):
        for row in range(total.shape[1]):
            for column in range(total.shape[2]):
                total[index, row, column] += tile[row, column, index] * (down[row] * across[column])


def window(axis: TileAxis, index: int) -> NDArray[np.float64]:
    """Return the weights along one axis of tile ``index``: 1 except where a neighbour overlaps.

    Returns
    -------
    float64, 256 values.
    """
    return _window(index > 0, index < axis.count - 1)


@cache
def _window(fades_in: bool, fades_out: bool) -> NDArray[np.float64]:
    """Return the window of a tile with neighbours before or after it."""
    weights = np.ones(TILE)
    spline = _squared_spline(2 * OVERLAP)
    if fades_in:
        weights[:OVERLAP] = spline[:OVERLAP]
    if fades_out:
        weights[-OVERLAP:] = spline[OVERLAP:]
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
