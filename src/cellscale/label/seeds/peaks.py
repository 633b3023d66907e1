"""Seeds: pixels that are the highest around."""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.seeds.fields import PEAK_DISTANCE, Fields
from cellscale.regions import Region

__all__ = ["find_seeds"]

SEED_THRESHOLD = np.float32(0.7)
"""A seed is higher than this."""


def find_seeds(fields: Fields, area: Region) -> NDArray[np.int64]:
    """Return the seeds in an area in raster order, ``(n, 2)`` rows and columns of the whole image.

    A seed is higher than all pixels within 5 along rows and columns; of equal ones the first in raster order counts.

    Parameters
    ----------
    fields
        Of the area and 5 pixels around it, where the image has them.
    area
        Where to look.
    """
    found = _peaks(fields.heights, *(side.indices(10**9)[:2] for side in area.within(fields.region)))
    return found + np.array([fields.region.top, fields.region.left], np.int64)


@kernel
def _peaks(heights: NDArray[np.float32], rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[np.int64]:
    found = np.empty(((rows[1] - rows[0]) * (columns[1] - columns[0]) // 4 + 1, 2), np.int64)
    count = 0
    for row in range(rows[0], rows[1]):
        for column in range(columns[0], columns[1]):
            if heights[row, column] > SEED_THRESHOLD and _is_peak(heights, row, column):
                found[count, 0], found[count, 1] = row, column
                count += 1
    return found[:count].copy()


@kernel
def _is_peak(heights: NDArray[np.float32], row: int, column: int) -> bool:
    height = heights[row, column]
    for other in range(max(row - PEAK_DISTANCE, 0), min(row + PEAK_DISTANCE + 1, heights.shape[0])):
        for beside in range(max(column - PEAK_DISTANCE, 0), min(column + PEAK_DISTANCE + 1, heights.shape[1])):
            found = heights[other, beside]
            is_earlier = other < row or (other == row and beside < column)
            if found > height or (is_earlier and found == height):
                return False
    return True
