"""Products of matrices whose right side lies row by row: 1 x 1 convolutions of one row of a map with 64 channels."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel
from cellscale.predict.native.blocks import ROWS, multiply_block

__all__ = ["Floats", "Product", "add_to_rows", "product_of"]

Floats: TypeAlias = NDArray[np.float32]

Product: TypeAlias = Callable[[Floats, Floats, Floats], None]
"""Is given weights ``(rows, 64)``, an input ``(64, width)`` and an output ``(rows, stride)``, of which it writes the
first ``width`` columns. All are flat; ``rows`` divides by 4."""


def product_of(width: int, stride: int) -> Product:
    """Return a kernel for products with inputs of one width.

    Parameters
    ----------
    width
        Columns of the input; 16 divides it.
    stride
        Values from one row of the output to the next; at least ``width``.
    """

    @fused_kernel
    def product(weights: Floats, source: Floats, target: Floats) -> None:
        for row in range(0, weights.size // 64, ROWS):
            multiply_block(weights, row * 64, 64, source, 0, width, 64, target, row * stride, stride, width)

    return product


@fused_kernel
def add_to_rows(values: Floats, target: Floats, stride: int, width: int) -> None:
    """Add to the first ``width`` columns of each row of ``(rows, stride)`` its value of ``(rows,)``."""
    for row in range(values.size):
        value = values[row]
        t = target[row * stride : row * stride + width]
        for j in range(width):
            t[j] += value
