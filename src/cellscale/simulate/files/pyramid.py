"""An image's tiles at every level of its pyramid, each pixel made once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.ordered import in_order
from cellscale.regions import Region

__all__ = ["TILE", "TilePlace", "level_shapes", "tile_places", "tiles"]

TILE = 512
"""Rows and columns of a tile."""


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Where a tile belongs."""

    level: int
    """0 for full resolution; each level has half the rows and columns of the one before."""

    row: int
    """Row of tiles, from 0."""

    column: int
    """Column of tiles, from 0."""


Pixels: TypeAlias = NDArray[Any]


def level_shapes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return rows and columns of every level, down to the first that is a single tile."""
    shapes = [shape]
    while max(shapes[-1]) > TILE:
        shapes.append((-(-shapes[-1][0] // 2), -(-shapes[-1][1] // 2)))
    return shapes


def tile_places(shape: tuple[int, int], level: int) -> Iterator[TilePlace]:
    """Yield the places of a level whose rows and columns are given, in raster order."""
    for row in range(-(-shape[0] // TILE)):
        for column in range(-(-shape[1] // TILE)):
            yield TilePlace(level, row, column)


def tiles(
    shape: tuple[int, int], block: Callable[[Region], Pixels], *, workers: int = 1
) -> Iterator[tuple[TilePlace, Pixels]]:
    """Yield the tiles of all levels, each after the four that it is the mean of.

    Few tiles are in memory at a time, whatever the image's size: four a level and two a worker.

    Parameters
    ----------
    shape
        Rows and columns of the image.
    block
        Makes the pixels of a region, (channels, rows, columns); called from several threads.
    workers
        Number of threads.

    Yields
    ------
    A tile's place and its pixels, (channels, rows, columns), cut off at the image's edge.
    """
    shapes = level_shapes(shape)
    top = TilePlace(len(shapes) - 1, 0, 0)
    finest = in_order(block, (_region(place, shape) for place in _finest(top, shapes)), workers)
    yield from _branch(top, shapes, finest)


def _region(place: TilePlace, shape: tuple[int, int]) -> Region:
    top, left = place.row * TILE, place.column * TILE
    return Region(top, left, min(top + TILE, shape[0]), min(left + TILE, shape[1]))


def _children(place: TilePlace, shapes: list[tuple[int, int]]) -> list[TilePlace]:
    """Return the tiles of the finer level that a tile is the mean of: one, two or four."""
    rows, columns = shapes[place.level - 1]
    return [
        TilePlace(place.level - 1, row, column)
        for row in (2 * place.row, 2 * place.row + 1)
        for column in (2 * place.column, 2 * place.column + 1)
        if row * TILE < rows and column * TILE < columns
    ]


def _finest(place: TilePlace, shapes: list[tuple[int, int]]) -> Iterator[TilePlace]:
    """Yield the tiles of full resolution under a tile, in the order in which they are needed."""
    if place.level == 0:
        yield place
        return
    for child in _children(place, shapes):
        yield from _finest(child, shapes)


def _branch(
    place: TilePlace, shapes: list[tuple[int, int]], finest: Iterator[Pixels]
) -> Iterator[tuple[TilePlace, Pixels]]:
    """Yield all tiles under a tile, and last the tile itself."""
    if place.level == 0:
        yield place, next(finest)
        return
    parts: dict[tuple[int, int], Pixels] = {}
    for child in _children(place, shapes):
        for below, pixels in _branch(child, shapes, finest):
            yield below, pixels
        parts[child.row % 2, child.column % 2] = pixels
    rows = [[parts[i, j] for j in (0, 1) if (i, j) in parts] for i in (0, 1) if (i, 0) in parts]
    yield place, _halved(np.block(rows))


def _halved(pixels: Pixels) -> Pixels:
    """Return the rounded means of squares of four pixels; an odd edge is repeated."""
    even = np.pad(pixels, ((0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2)), mode="edge").astype(np.uint32)
    total = even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
    return ((total + 2) // 4).astype(pixels.dtype)
