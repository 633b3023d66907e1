"""Growing objects into the background around them, each pixel to the nearest."""

import math

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Labels

__all__ = ["grown"]

_NONE = 2**15
"""Rows to the nearest object where there is none in the column; its square still fits an int64 many times."""


def grown(labels: NDArray[np.int32], radius: float) -> NDArray[np.int32]:
    """Return labels with each background pixel given to the nearest object that is no farther than ``radius``.

    Distances are those between the centres of pixels. Of several nearest pixels the one in the leftmost column
    counts, and of two in that column the upper one. This is what ``skimage.segmentation.expand_labels`` returns.

    A pixel's answer depends on nothing farther than ``radius``. So an array with so many pixels around what is wanted
    gives the answer of the whole image.

    Parameters
    ----------
    labels
        int32; 0 for background.
    radius
        Pixels; 0 or more, below 10,000.

    Returns
    -------
    int32, same shape.
    """
    reach = math.floor(radius)
    farthest = _largest_square(radius)
    if farthest < 1 or not labels.any():
        return labels.copy()
    rows = np.empty(labels.shape, np.int32)
    _nearest_rows(labels, reach, rows)
    result = np.empty(labels.shape, np.int32)
    _grow(labels, rows, reach, farthest, result)
    return result


def _largest_square(radius: float) -> int:
    """Return the largest whole number whose root is not above ``radius``, as floats compare."""
    square = math.floor(radius * radius) + 1
    while math.sqrt(square) > radius:
        square -= 1
    return square


@kernel
def _nearest_rows(labels: Labels, reach: int, rows: NDArray[np.int32]) -> None:
    """Write how many rows each pixel is from its column's nearest object: below 0 upwards, ``_NONE`` if too far."""
    height, width = labels.shape
    # Downwards, then upwards: a row of memory after the other. Upwards an object must be nearer, so that of two at
    # the same distance the upper one stays.
    for row in range(height):
        for column in range(width):
            if labels[row, column] != 0:
                rows[row, column] = 0
            elif row > 0 and rows[row - 1, column] != _NONE and rows[row - 1, column] > -reach:
                rows[row, column] = rows[row - 1, column] - 1
            else:
                rows[row, column] = _NONE
    for row in range(height - 2, -1, -1):
        for column in range(width):
            below = rows[row + 1, column]
            if 0 <= below < reach and below + 1 < abs(rows[row, column]):
                rows[row, column] = below + 1


@kernel
def _grow(labels: Labels, rows: NDArray[np.int32], reach: int, farthest: int, result: Labels) -> None:
    """Write each pixel's object: the nearest of those that the columns around it know."""
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label == 0:
                best = np.int64(farthest + 1)
                for other in range(max(column - reach, 0), min(column + reach + 1, width)):
                    down = np.int64(rows[row, other])
                    square = down * down + (other - column) * (other - column)
                    if square < best:
                        best = square
                        label = labels[row + down, other]
            result[row, column] = label
