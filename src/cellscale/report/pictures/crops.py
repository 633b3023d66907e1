"""Which parts of an image are worth a look at full resolution."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.label_table import LabelTable
from cellscale.regions import Region
from cellscale.report.cells_and_nuclei import MaskObjects, TileCounts

__all__ = ["SIDE", "Choice", "Why", "choose_crops"]

SIDE = 512
"""Rows and columns of a crop, and of the tiles among which it is chosen."""

Why: TypeAlias = Literal["most", "fewest", "doubt", "seam"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A part of the image, and why it was chosen."""

    whys: tuple[Why, ...]
    region: Region


def choose_crops(
    census: MaskObjects, counts: TileCounts, signal: NDArray[np.floating], shape: tuple[int, int], seams: float
) -> tuple[Choice, ...]:
    """Choose the parts with most and with fewest objects, with most disagreement, and at a seam.

    Parameters
    ----------
    census
        The objects.
    counts
        Their numbers by tile of ``SIDE``.
    signal
        How bright each tile is: a part with few objects says something only where there is tissue.
    shape
        Rows and columns of the image.
    seams
        Pixels from one seam of the blocks that the image was worked on in to the next.

    Returns
    -------
    No choice for an image that is no larger than a crop, or without objects.
    """
    objects = counts.cells if len(census.cells) else counts.nuclei
    if max(shape) <= SIDE or not objects.any():
        return ()
    chosen: dict[Region, tuple[Why, ...]] = {}

    def choose(why: Why, region: Region) -> None:
        chosen[region] = (*chosen.get(region, ()), why)

    if counts.alone.any():
        choose("doubt", _tile(_place(counts.alone), shape))
    choose("most", _tile(_place(objects), shape))
    fewest = _fewest(objects, signal, shape)
    if fewest is not None:
        choose("fewest", _tile(fewest, shape))
    seam = _seam(census.cells if len(census.cells) else census.nuclei, shape, seams)
    if seam is not None:
        choose("seam", seam)
    return tuple(Choice(whys, region) for region, whys in chosen.items())


def _place(values: NDArray[np.integer]) -> tuple[int, int]:
    """Return row and column of the largest value, the first of equals."""
    row, column = np.unravel_index(int(np.argmax(values)), values.shape)
    return int(row), int(column)


def _fewest(
    objects: NDArray[np.int64], signal: NDArray[np.floating], shape: tuple[int, int]
) -> tuple[int, int] | None:
    """Return the tile with fewest objects among the brighter half of those that lie in tissue.

    Tiles that reach far beyond the image are left aside. None where all that are left have as many as any tile.
    """
    heights, widths = (
        np.minimum(np.arange(count) * SIDE + SIDE, length) - np.arange(count) * SIDE
        for count, length in zip(objects.shape, shape, strict=True)
    )
    full = np.outer(heights, widths) >= SIDE * SIDE / 2
    bright = full & (signal >= np.median(signal[objects > 0]))
    most = int(objects.max())
    place = _place(np.where(bright, most - objects, 0))
    return place if bright[place] and objects[place] < most else None


def _tile(place: tuple[int, int], shape: tuple[int, int]) -> Region:
    return _window([(index + 0.5) * SIDE for index in place], shape)


def _window(centre: Sequence[float], shape: tuple[int, int]) -> Region:
    """Return the crop around a centre, moved inside the image."""
    sides = [min(SIDE, length) for length in shape]
    top, left = (
        int(np.clip(round(middle - side / 2), 0, length - side))
        for middle, side, length in zip(centre, sides, shape, strict=True)
    )
    return Region(top, left, top + sides[0], left + sides[1])


def _seam(table: LabelTable, shape: tuple[int, int], seams: float) -> Region | None:
    """Return the crop around the place where most objects lie across a seam; None where none does."""
    low, high = table.boxes[:, :2], table.boxes[:, 2:] - 1
    across = np.floor(low / seams) != np.floor(high / seams)
    if not across.any():
        return None
    touching = across.any(axis=1)
    centres = (low[touching] + high[touching]) / 2
    tiles = (centres / SIDE + 0.5).astype(np.int64)  # seams often lie between two tiles
    grid = tuple(tiles.max(axis=0) + 1)
    places = np.ravel_multi_index((tiles[:, 0], tiles[:, 1]), grid)
    best = np.flatnonzero(places == np.argmax(np.bincount(places)))
    axis = int(np.argmax(across[touching][best].sum(axis=0)))
    middle = centres[best].mean(axis=0)
    middle[axis] = round(float(np.median(centres[best][across[touching][best, axis], axis])) / seams) * seams
    return _window(middle.tolist(), shape)
