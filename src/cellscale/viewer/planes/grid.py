"""The levels and tiles that a browser asks for: each level has half the rows and columns of the one before."""

from dataclasses import dataclass

from cellscale.regions import Region
from cellscale.viewer.request_errors import BadRequestError

__all__ = ["TILE", "TilePosition", "finer", "level_count", "level_shape", "tile_region"]

TILE = 512
"""Rows and columns of a tile."""


@dataclass(frozen=True, slots=True)
class TilePosition:
    """Where a tile belongs."""

    level: int
    """0 for full resolution."""

    row: int
    """Row of tiles, from 0."""

    column: int
    """Column of tiles, from 0."""


def level_shape(shape: tuple[int, int], level: int) -> tuple[int, int]:
    """Return rows and columns of an image at a level."""
    return -(-shape[0] >> level), -(-shape[1] >> level)


def level_count(shape: tuple[int, int]) -> int:
    """Return the number of levels down to the first that is a single tile."""
    count = 1
    while max(level_shape(shape, count - 1)) > TILE:
        count += 1
    return count


def tile_region(shape: tuple[int, int], place: TilePosition) -> Region:
    """Return the pixels of a tile, in those of its level; cut off at the image's edge.

    Raises
    ------
    BadRequestError
        There is no such tile.
    """
    if place.level >= level_count(shape):
        raise BadRequestError(f"level {place.level} asked for; 0 to {level_count(shape) - 1} are there")
    height, width = level_shape(shape, place.level)
    top, left = place.row * TILE, place.column * TILE
    if top >= height or left >= width:
        raise BadRequestError(
            f"a tile at row {top}, column {left} asked for; level {place.level} has {height} x {width}"
        )
    return Region(top, left, min(top + TILE, height), min(left + TILE, width))


def finer(region: Region, ratio: int, shape: tuple[int, int]) -> Region:
    """Return the pixels that a region is made from, in an image of ``shape`` that has ``ratio`` times as many a side.

    It is never empty, even where ``shape`` was rounded down.
    """
    top, left = (min(start * ratio, size - 1) for start, size in zip((region.top, region.left), shape, strict=True))
    return Region(top, left, min(region.bottom * ratio, shape[0]), min(region.right * ratio, shape[1]))
