"""Products of a matrix of weights with one that lies row by row, with AMX."""

import numpy as np

from cellscale.compiled import fused_kernel
from cellscale.predict.native.factors import Floats, Matrices, empty, pair_16
from cellscale.predict.native.matrices.layout import BLOCK, STEP, WIDTH
from cellscale.predict.native.matrices.registers import SIDE, add_product, clear, configure, load, release, store

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
    given = empty(_DEPTH // 2 * width).view(np.uint32)
    for row in range(_DEPTH // 2):
        for column in range(0, width, SIDE):
            at = 2 * row * width + column
            to = (column // SIDE * _STEPS + row // SIDE) * BLOCK + row % SIDE * SIDE
            pair_16(source, at, at + width, given, to)
    configure()
    for column in range(0, width, WIDTH):
        right = column // SIDE * _STEPS * BLOCK
        for row in range(0, weights.size // (_DEPTH // 2), WIDTH):
            left = row * _DEPTH // 2
            clear(0)
            clear(1)
            clear(2)
            clear(3)
            for step in range(_STEPS):
                load(4, weights, left + 2 * step * BLOCK, SIDE)
                load(6, given, right + step * BLOCK, SIDE)
                load(7, given, right + (_STEPS + step) * BLOCK, SIDE)
                load(5, weights, left + (2 * step + 1) * BLOCK, SIDE)
                add_product(0, 4, 6)
                add_product(1, 4, 7)
                add_product(2, 5, 6)
                add_product(3, 5, 7)
            to = row * stride + column
            store(0, target, to, stride)
            store(1, target, to + SIDE, stride)
            store(2, target, to + SIDE * stride, stride)
            store(3, target, to + SIDE * stride + SIDE, stride)
    release()
