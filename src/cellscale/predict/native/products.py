"""Matrix products of a layer's weights with one row of its input, as fast as compiled loops make them."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel

__all__ = ["Floats", "Product", "product_of"]

Floats: TypeAlias = NDArray[np.float32]

Product: TypeAlias = Callable[[Floats, Floats, Floats, Floats], None]
"""Is given weights ``(rows, 64)``, what each output row begins with ``(rows,)``, an input ``(64, width)`` and an
output ``(rows, stride)``, of which it writes the first ``width`` columns. All are flat; ``rows`` divides by 4."""


def product_of(width: int, stride: int) -> Product:
    """Return a kernel for products with inputs of one width.

    Sizes are constants in it: only then does the compiler see that rows do not overlap, and takes whole vectors.
    Four rows and four channels are done at a time: their 16 weights stay in registers, and 16 multiplications are
    done for 12 values that are loaded or stored. Every value is summed up in the order of the channels.

    Parameters
    ----------
    width
        Columns of the input.
    stride
        Values from one row of the output to the next; at least ``width``.
    """

    @fused_kernel
    def product(weights: Floats, begin: Floats, source: Floats, target: Floats) -> None:
        for row in range(0, begin.size, 4):
            t = target[row * stride : (row + 4) * stride]
            w = weights[row * 64 : (row + 4) * 64]
            for channel in range(0, 64, 4):
                a0, a1, a2, a3 = w[channel], w[channel + 1], w[channel + 2], w[channel + 3]
                b0, b1, b2, b3 = w[channel + 64], w[channel + 65], w[channel + 66], w[channel + 67]
                c0, c1, c2, c3 = w[channel + 128], w[channel + 129], w[channel + 130], w[channel + 131]
                d0, d1, d2, d3 = w[channel + 192], w[channel + 193], w[channel + 194], w[channel + 195]
                s = source[channel * width : (channel + 4) * width]
                if channel == 0:
                    e0, e1, e2, e3 = begin[row], begin[row + 1], begin[row + 2], begin[row + 3]
                    for j in range(width):
                        x0, x1, x2, x3 = s[j], s[width + j], s[2 * width + j], s[3 * width + j]
                        t[j] = e0 + a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                        t[stride + j] = e1 + b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                        t[2 * stride + j] = e2 + c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                        t[3 * stride + j] = e3 + d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
                else:
                    for j in range(width):
                        x0, x1, x2, x3 = s[j], s[width + j], s[2 * width + j], s[3 * width + j]
                        t[j] = t[j] + a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                        t[stride + j] = t[stride + j] + b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                        t[2 * stride + j] = t[2 * stride + j] + c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                        t[3 * stride + j] = t[3 * stride + j] + d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3

    return product
