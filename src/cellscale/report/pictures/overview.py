"""A whole image in one small picture, read a part at a time."""

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.images.info import Image, ImageInfo
from cellscale.regions import Region, RegionReader, blocks

__all__ = ["SIDE", "LevelImage", "block_means", "cell_size", "fitted", "overview_level"]

SIDE = 2048
"""Pixels along the longer side of an overview, at most."""
STEP = 1024
"""Rows and columns that are read at once; of an image in strips as many rows as have about as many pixels."""


@dataclass(frozen=True, slots=True)
class LevelImage:
    """One level of an image's pyramid as an image of its own."""

    image: Image
    number: int
    """0 for full resolution."""
    factor: int
    """Pixels of the image along each axis that one pixel of the level stands for."""

    @property
    def info(self) -> ImageInfo:
        """Facts of the image at this level."""
        rows, columns = self.image.info.levels[self.number] if self.number else self.image.info.shape
        return replace(self.image.info, height=rows, width=columns, levels=())

    def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
        """Return the pixels as ``(len(channels), rows, columns)``."""
        return self.image.read(channels, region, self.number + level)

    def close(self) -> None:
        """Close nothing: the image stays open."""


def cell_size(shape: tuple[int, int], side: int = SIDE) -> int:
    """Return how many pixels along each axis become one of an overview: a power of two, as in most pyramids."""
    cell = 1
    while -(-max(shape) // cell) > side:
        cell *= 2
    return cell


def overview_level(image: Image, cell: int) -> LevelImage:
    """Return the smallest level that an overview can be made from, so that little has to be read."""
    shape = image.info.shape
    chosen = LevelImage(image, 0, 1)
    for number, size in enumerate(image.info.levels):
        factor = round(shape[0] / size[0])
        expected = [-(-side // cell) for side in shape]
        there = [-(-side // max(cell // factor, 1)) for side in size]
        if cell % factor == 0 and factor > chosen.factor and np.abs(np.subtract(expected, there)).max() <= 1:
            chosen = LevelImage(image, number, factor)
    return chosen


def block_means(
    read: RegionReader, shape: tuple[int, int], cell: int, pool: Executor, *, strips: bool = False
) -> NDArray[np.float32]:
    """Return the means of square blocks of an image.

    Parameters
    ----------
    read
        Answers for a region with numbers or truth values, ``(rows, columns)``; what is not finite counts as 0.
    shape
        Rows and columns of the image.
    cell
        Side of the blocks in pixels; those at the right and at the bottom may be smaller.
    pool
        Reads parts of the image side by side.
    strips
        Whether the parts are as wide as the image.

    Returns
    -------
    float32, one for each block.
    """
    rows = STEP * STEP // shape[1] if strips else STEP
    height = max(rows // cell, 1) * cell
    regions = list(blocks(shape, (height, shape[1] if strips else height)))
    means = np.empty((-(-shape[0] // cell), -(-shape[1] // cell)), np.float32)

    def mean(region: Region) -> NDArray[np.float32]:
        return _means(read(region), cell)

    for region, part in zip(regions, pool.map(mean, regions), strict=True):
        top, left = region.top // cell, region.left // cell
        means[top : top + part.shape[0], left : left + part.shape[1]] = part
    return means


def fitted(plane: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a plane cut, or continued by its last pixels, to a shape that its own differs little from.

    Pyramids round the sides of an image up or down, as their makers liked.
    """
    missing = [(0, max(wanted - there, 0)) for wanted, there in zip(shape, plane.shape, strict=True)]
    padded: NDArray[np.float32] = np.pad(plane, missing, mode="edge")
    return padded[: shape[0], : shape[1]]


def _means(pixels: NDArray[Any], cell: int) -> NDArray[np.float32]:
    """Return the means of the blocks of one region."""
    with np.errstate(over="ignore"):  # float64 beyond float32's range becomes infinite, then 0
        values = pixels.astype(np.float32)
    if pixels.dtype.kind == "f":
        values = np.nan_to_num(values, copy=False, nan=0, posinf=0, neginf=0)
    if cell == 1:
        return values
    starts = [np.arange(0, size, cell) for size in values.shape]
    sums = np.add.reduceat(np.add.reduceat(values, starts[1], axis=1), starts[0], axis=0)
    sizes = [np.diff(np.append(start, size)) for start, size in zip(starts, values.shape, strict=True)]
    means: NDArray[np.float32] = (sums / np.outer(*sizes)).astype(np.float32)
    return means
