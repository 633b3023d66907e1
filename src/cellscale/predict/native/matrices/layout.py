"""Factors as the registers of matrices take them: in blocks of 16 x 16 pairs of bfloat16, each 1 KB in one piece.

Two blocks lie together, as sums are computed 32 x 32 at a time: four registers of sums, and two for each side.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.native.factors import Matrices, paired, paired_rows
from cellscale.predict.native.matrices.pieces import pieces_of
from cellscale.predict.native.matrices.registers import SIDE
from cellscale.predict.native.memory import aligned

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
    """Lay weights out that stand on the right: ``(depth, columns)``, which `STEP` and `WIDTH` divide.

    Returns
    -------
    ``(pieces, pairs)``, where pairs are ``(columns / 32, depth / 32, 2, 16, 16)``.
    """
    depth, columns = weights.shape
    blocks = paired_rows(np.stack(pieces_of(weights, pieces)))
    blocks = blocks.reshape(pieces, depth // STEP, SIDE, columns // WIDTH, 2, SIDE)
    return aligned(blocks.transpose(0, 3, 1, 4, 2, 5).view(np.uint32)).reshape(pieces, -1)
