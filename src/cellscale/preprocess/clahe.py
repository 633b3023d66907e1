"""Kernels of contrast-limited adaptive histogram equalisation over square blocks of pixels, as a rule 128 x 128.

Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994, with the conventions of
scikit-image's ``equalize_adapthist``, whose result these reproduce bit for bit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel

__all__ = ["GREY_LEVELS", "bin_table", "block_maps", "clip_count", "interpolate", "to_bins", "weights"]

GREY_LEVELS = 1 << 14
"""Number of grey levels of the result."""

BINS = 256
"""Number of histogram bins."""

CLIP_SHARE = 0.01
"""No bin may hold a larger share of a block's pixels."""

LEVELS_PER_BIN = 1 + GREY_LEVELS // BINS


def bin_table() -> NDArray[np.uint8]:
    """Return the bin of each of the 65,536 levels of a rescaled channel."""
    levels = np.rint(np.arange(65536) / 65535 * (GREY_LEVELS - 1)).astype(np.int64)
    return (levels // LEVELS_PER_BIN).astype(np.uint8)


def clip_count(side: int) -> int:
    """Return how many pixels a bin may hold of a block of ``side`` rows and columns; at least 1."""
    return max(int(CLIP_SHARE * (side * side)), 1)


def weights(side: int) -> NDArray[np.floating[Any]]:
    """Return how far each row or column of a cell between block centres is on its way to the next, 0 to below 1.

    Products of these with grey levels are exact in float32 where ``side`` is a power of two up to 128. Else they are
    float64, in which the reference computes: the last bit can decide which integer results.
    """
    fractions = np.arange(side) / side
    return fractions.astype(np.float32) if side <= 128 and side & (side - 1) == 0 else fractions


@kernel
def to_bins(
    pixels: NDArray[np.float32],
    limits: tuple[np.float32, np.float32, np.float32],
    table: NDArray[np.uint8],
    bins: NDArray[np.uint8],
) -> None:
    """Clip and rescale ``pixels`` to 0..1 in float32, then write the bin of each into ``bins``.

    Parameters
    ----------
    pixels
        The raw channel.
    limits
        Value that brighter pixels become, minimum, and maximum less minimum.
    table
        `bin_table`.
    bins
        Overwritten.
    """
    # In float32 from the first step on, as the reference: a pixel at the border of two bins must fall into the same.
    clip, minimum, span = limits
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            scaled = (min(pixels[row, column], clip) - minimum) / span
            # The mask changes nothing but where the limits are not those of these pixels: it keeps inside the table.
            bins[row, column] = table[np.int32(np.rint(scaled * np.float32(65535))) & 65535]


@kernel
def block_maps(bins: NDArray[np.uint8], clip: int, maps: NDArray[np.float32]) -> None:
    """Write the equalised grey level of every bin of every block.

    Parameters
    ----------
    bins
        Whole blocks: ``(side * block rows, side * block columns)``.
    clip
        `clip_count` of a block.
    maps
        ``(block rows, block columns, 256)``, overwritten.
    """
    side = bins.shape[0] // maps.shape[0]
    counts = np.empty(BINS, np.int64)
    for block_row in range(maps.shape[0]):
        for block_column in range(maps.shape[1]):
            # One histogram for all blocks, wiped: it stays in the cache, and nothing is allocated a block.
            counts[:] = 0
            for row in range(block_row * side, (block_row + 1) * side):
                for column in range(block_column * side, (block_column + 1) * side):
                    counts[bins[row, column]] += 1
            _limit_contrast(counts, clip)
            _cumulate(counts, side * side, maps[block_row, block_column])


@kernel
def _limit_contrast(counts: NDArray[np.int64], clip: int) -> None:
    """Cut bins down to the clip count and spread what was cut off over the others."""
    # All cuts first: how much each bin is given depends on what was cut off all of them.
    excess = 0
    for index in range(BINS):
        if counts[index] > clip:
            excess += counts[index] - clip
            counts[index] = clip
    # An equal share where it fits below the clip count; the others are filled up to it, and what is left goes round
    # one by one. Any other way to spread gives other grey levels than the reference.
    share = excess // BINS
    for index in range(BINS):
        if counts[index] < clip - share:
            counts[index] += share
            excess -= share
        if clip - share <= counts[index] < clip:
            excess -= clip - counts[index]
            counts[index] = clip
    _spread(counts, excess, clip)


@kernel
def _spread(counts: NDArray[np.int64], excess: int, clip: int) -> None:
    """Give the ``excess`` pixels, one each, to bins below the clip count, at strides that shrink as bins fill."""
    # A round that gives nothing away is the last one, or this could go on for ever.
    before = -1
    while excess > 0 and excess != before:
        before = excess
        for first in range(BINS):
            below = 0
            for index in range(BINS):
                below += counts[index] < clip
            for index in range(first, BINS, max(1, below // excess)):
                if counts[index] < clip:
                    counts[index] += 1
                    excess -= 1
            if excess <= 0:
                break


@kernel
def _cumulate(counts: NDArray[np.int64], pixels: int, levels: NDArray[np.float32]) -> None:
    """Write the grey level that each bin's cumulated count stands for."""
    # A product with a rounded quotient, cut off, as of the reference: dividing at the end would give other levels.
    scale = (GREY_LEVELS - 1) / pixels
    cumulated = 0
    for index in range(BINS):
        cumulated += counts[index]
        levels[index] = np.floor(min(cumulated * scale, float(GREY_LEVELS - 1)))


@kernel
def interpolate(
    bins: NDArray[np.uint8],
    maps: NDArray[np.float32],
    offset: tuple[int, int],
    fractions: NDArray[np.floating[Any]],
    levels: NDArray[np.uint16],
) -> None:
    """Write every pixel's grey level: the maps of the four nearest block centres, bilinearly.

    Parameters
    ----------
    bins
        Bins of the pixels, same shape as ``levels``.
    maps
        ``(n + 1, m + 1, 256)`` for pixels in n x m cells between block centres: the map above and left of the first
        cell first.
    offset
        Row and column of the first pixel within the first cell.
    fractions
        `weights` of the cells' rows and columns.
    levels
        Overwritten.
    """
    side = fractions.size
    backs = np.ones_like(fractions) - fractions
    corners = np.empty((BINS, 4), fractions.dtype)
    height, width = levels.shape
    for cell_row in range(maps.shape[0] - 1):
        top = cell_row * side - offset[0]
        for cell_column in range(maps.shape[1] - 1):
            left = cell_column * side - offset[1]
            # The four maps side by side, so that a pixel finds what it needs in one line of the cache.
            for index in range(BINS):
                corners[index, 0] = maps[cell_row, cell_column, index]
                corners[index, 1] = maps[cell_row, cell_column + 1, index]
                corners[index, 2] = maps[cell_row + 1, cell_column, index]
                corners[index, 3] = maps[cell_row + 1, cell_column + 1, index]
            for row in range(max(top, 0), min(top + side, height)):
                down, up = fractions[row - top], backs[row - top]
                for column in range(max(left, 0), min(left + side, width)):
                    right, back = fractions[column - left], backs[column - left]
                    corner = corners[bins[row, column]]
                    # Each product rounded to float32 and summed in this order: the last bit decides which integer
                    # results.
                    total = np.float32(corner[0] * (up * back)) + np.float32(corner[1] * (up * right))
                    total = total + np.float32(corner[2] * (down * back))
                    levels[row, column] = np.uint16(total + np.float32(corner[3] * (down * right)))
