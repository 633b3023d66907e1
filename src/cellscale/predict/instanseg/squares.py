"""How an image is cut into squares for InstanSeg's network, and what each needs to see.

The squares lie side by side, and each is computed with its surroundings, so that its maps are those of the whole
image but for the rounding of sums. Where the squares lie depends on the image alone: whoever computes one, alone or
among others, gets the same bits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.instanseg.instanseg_graph import HALO
from cellscale.regions import Region, RegionReader

__all__ = ["SQUARE", "SquareGrid", "square_input"]

SQUARE = 512
"""Rows and columns of a square of InstanSeg's."""

_MULTIPLE = 16
"""InstanSeg mirrors an image at its lower and right edge to a multiple of so many rows and columns."""


@dataclass(frozen=True, slots=True)
class SquareGrid:
    """All squares of an image; ``(row, column)`` is the row-th from the top, the column-th from the left."""

    shape: tuple[int, int]
    """Rows and columns of the image."""
    square: int = SQUARE
    """Rows and columns of a square."""
    halo: int = HALO
    """Pixels around a square that are seen with it."""

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns of the image as the network sees it."""
        return -(-self.shape[0] // _MULTIPLE) * _MULTIPLE, -(-self.shape[1] // _MULTIPLE) * _MULTIPLE

    @property
    def rows(self) -> int:
        """Squares from top to bottom."""
        return -(-self.shape[0] // self.square)

    @property
    def columns(self) -> int:
        """Squares from left to right."""
        return -(-self.shape[1] // self.square)

    @property
    def count(self) -> int:
        """Number of squares."""
        return self.rows * self.columns

    @property
    def computed_pixels(self) -> int:
        """Pixels that the network computes: squares with their surroundings."""
        heights = sum(self.needed(row, 0)[1].height for row in range(self.rows))
        return heights * sum(self.needed(0, column)[1].width for column in range(self.columns))

    def region(self, row: int, column: int) -> Region:
        """Return the part of the image that a square shows."""
        return self._square(row, column, self.shape)

    def needed(self, row: int, column: int) -> tuple[Region, Region]:
        """Return a square with what the network mirrors, and the same with its surroundings."""
        square = self._square(row, column, self.padded)
        return square, square.grown(self.halo, self.padded)

    def touching(self, region: Region) -> list[tuple[int, int]]:
        """Return the row and column of every square that shows any pixel of ``region``, in raster order."""
        columns = range(region.left // self.square, (region.right - 1) // self.square + 1)
        rows = range(region.top // self.square, (region.bottom - 1) // self.square + 1)
        return [(row, column) for row in rows for column in columns]

    def _square(self, row: int, column: int, shape: tuple[int, int]) -> Region:
        side = self.square
        return Region(row * side, column * side, min((row + 1) * side, shape[0]), min((column + 1) * side, shape[1]))


def square_input(
    read: RegionReader, grid: SquareGrid, row: int, column: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return what the network gets for one square.

    Parameters
    ----------
    read
        Answers for a region of the scaled image with float32 ``(channels, rows, columns)``.
    grid
        The image's squares.
    row, column
        Which square.

    Returns
    -------
    image
        float32 ``(channels, 1, rows, columns)``, with surroundings.
    margins
        int64 ``(2, 2)``: rows and columns of surroundings before the square, and after it.
    """
    square, needed = grid.needed(row, column)
    # What lies beyond the image mirrors at most 15 rows of it, which lie in the surroundings.
    seen = Region(needed.top, needed.left, min(needed.bottom, grid.shape[0]), min(needed.right, grid.shape[1]))
    beyond = [(0, 0), (0, needed.bottom - seen.bottom), (0, needed.right - seen.right)]
    image = np.pad(read(seen), beyond, mode="reflect")[:, np.newaxis]
    margins = np.array(
        [
            [square.top - needed.top, square.left - needed.left],
            [needed.bottom - square.bottom, needed.right - square.right],
        ],
        np.int64,
    )
    return np.ascontiguousarray(image), margins
