"""Factors as the registers of matrices take them: in blocks of 16 x 16 pairs of bfloat16, each 1 KB in one piece.

Two blocks lie together, as sums are computed 32 x 32 at a time: four registers of sums, and two for each side.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.predict.native.factors import Matrices, paired
from cellscale.predict.native.matrices.pieces import pieces_of
from cellscale.predict.native.matrices.registers import SIDE
from cellscale.predict.native.memory import aligned, lasting

__all__ = ["BLOCK", "STEP", "WIDTH", "left_matrices", "right_matrices"]

BLOCK: Final = SIDE * SIDE
"""Pairs of a block."""

WIDTH: Final = 2 * SIDE
"""Rows and columns of the sums that are computed together."""

STEP: Final = 2 * SIDE
"""Factors of a sum that one instruction multiplies."""


def left_matrices(weights: NDArray[np.floating], pieces: int) -> Matrices:
    """Lay weights out that stand on the left: ``(rows, depth)``, which `WIDTH` and `STEP` divide.

    Returns
    -------
    ``(pieces, pairs)``, where pairs are ``(rows / 32, depth / 32, 2, 16, 16)``.
    """
    rows, depth = weights.shape
    blocks = paired(np.stack(pieces_of(weights, pieces)))
    blocks = blocks.reshape(pieces, rows // WIDTH, 2, SIDE, depth // STEP, SIDE)
    return aligned(blocks.transpose(0, 1, 4, 2, 3, 5).view(np.uint32)).reshape(pieces, -1)


def right_matrices(weights: NDArray[np.floating], pieces: int) -> Matrices:
    """Lay weights out that stand on the right of what a convolution sees.

    Parameters
    ----------
    weights
        ``(columns, depth, taps)``, of which `WIDTH` divides the columns and `STEP` the depth.
    pieces
        Values of bfloat16 whose sum a factor is.

    Returns
    -------
    ``(pieces, pairs)``, where pairs are ``(columns / 32, depth / 32, taps, 2, 16, 16)``.
    """
    columns, depth, taps = weights.shape
    found = lasting(pieces * columns * depth * taps // 2).view(np.uint32)
    # A copy: what may only be read, as a file's content, is of another type to numba.
    _split_right(np.array(weights, np.float32, order="C"), found.reshape(pieces, -1, taps, 2, SIDE, SIDE))
    return found.reshape(pieces, -1)


@kernel
def _split_right(weights: NDArray[np.float32], found: NDArray[np.uint32]) -> None:
    """Write the pieces of all weights: numpy, going through them for each step, takes five times as long."""
    pieces, depth, taps = found.shape[0], weights.shape[1], weights.shape[2]
    size = WIDTH * depth * taps
    rest, halves = np.empty(size, np.float32), np.empty((pieces, size), np.uint32)
    for first in range(0, weights.shape[0], WIDTH):
        rest[:] = weights[first : first + WIDTH].reshape(size)
        for piece in range(pieces):
            _take_piece(rest, halves[piece])
        for step in range(depth // STEP):
            block = (first * depth // WIDTH + step * STEP) // STEP
            for piece in range(pieces):
                values = halves[piece].reshape((WIDTH, depth, taps))
                for tap in range(taps):
                    for row in range(SIDE):
                        at = step * STEP + 2 * row
                        for column in range(WIDTH):
                            pair = values[column, at, tap] >> np.uint32(16) | values[column, at + 1, tap]
                            found[piece, block, tap, column // SIDE, row, column % SIDE] = pair


@kernel
def _take_piece(rest: NDArray[np.float32], found: NDArray[np.uint32]) -> None:
    """Write the nearest bfloat16 of values, in the upper halves of their bits, and leave what is left of them."""
    bits, nearest = rest.view(np.uint32), found.view(np.float32)
    for place in range(rest.size):
        value = bits[place]
        is_number = value & np.uint32(0x7FFFFFFF) <= np.uint32(0x7F800000)
        up = np.uint32(0x7FFF) + (value >> np.uint32(16) & np.uint32(1)) if is_number else np.uint32(0)
        found[place] = value + up & np.uint32(0xFFFF0000)
        rest[place] -= nearest[place]
