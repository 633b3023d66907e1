"""Products of a matrix of weights with one that lies row by row, with AMX."""

import numpy as np

from cellscale.compiled import fused_kernel
from cellscale.predict.native.factors import Floats, Matrices
from cellscale.predict.native.matrices.layout import BLOCK, STEP, WIDTH
from cellscale.predict.native.matrices.registers import SIDE, configure, release
from cellscale.predict.native.matrices.sums import add_products, clear_sums, store_sums
from cellscale.predict.native.memory import empty
from cellscale.predict.native.rounding import split_pairs_16

__all__ = ["multiply_rows"]

_DEPTH = 64
_STEPS = _DEPTH // STEP


@fused_kernel
def multiply_rows(weights: Matrices, source: Floats, target: Floats, width: int, stride: int) -> None:
    """Write a product of weights with 64 columns.

    Parameters
    ----------
    weights
        ``(rows, 64)``, as `cellscale.predict.native.matrices.layout.left_matrices` lays them out.
    source
        ``(64, width)`` flat; 32 divides the width.
    target
        ``(rows, stride)`` flat, of which the first ``width`` columns are written.
    width, stride
        See above.
    """
    pieces, size = weights.shape[0], _DEPTH // 2 * width
    given = empty(pieces * size).view(np.uint32)
    for row in range(_DEPTH // 2):
        for column in range(0, width, SIDE):
            at = 2 * row * width + column
            to = (column // SIDE * _STEPS + row // SIDE) * BLOCK + row % SIDE * SIDE
            # How many is a constant of the machine code.
            if pieces == 1:
                split_pairs_16(source, at, at + width, given, to, size, 1)
            elif pieces == 2:
                split_pairs_16(source, at, at + width, given, to, size, 2)
            else:
                split_pairs_16(source, at, at + width, given, to, size, 3)
    columns = given.reshape(pieces, size)
    configure()
    for column in range(0, width, WIDTH):
        upper = column // SIDE * _STEPS * BLOCK
        for row in range(0, weights.shape[1] // (_DEPTH // 2), WIDTH):
            left = row * _DEPTH // 2
            clear_sums()
            add_products(
                weights, left, left + BLOCK, 2 * BLOCK, columns, upper, upper + _STEPS * BLOCK, BLOCK, _STEPS
            )
            store_sums(target, row * stride + column, stride)
    release()
