"""Products of matrices whose right side lies row by row: 1 x 1 convolutions of one row of a map with 64 channels."""

from collections.abc import Callable
from typing import Any, TypeAlias

from numba import types

from cellscale.compiled import fused_kernel
from cellscale.predict.native.blocks import ROWS, multiply_block
from cellscale.predict.native.factors import Factors, Floats, columns_like, compiled_as
from cellscale.predict.native.matrices import multiply_rows

__all__ = ["Product", "add_to_rows", "product_of"]

Product: TypeAlias = Callable[[Factors, Floats, Floats], None]
"""Is given weights ``(rows, 64)`` of any kind of factors, an input ``(64, width)`` and an output ``(rows, stride)``,
of which it writes the first ``width`` columns. All are flat; ``rows`` divides by 4, or by 32 for registers of
matrices, as ``width`` does then."""


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
    def product(weights: Factors, source: Floats, target: Floats) -> None:
        _multiply(weights, source, target, width, stride)

    return product


def _multiply(weights: Factors, source: Floats, target: Floats, width: int, stride: int) -> None:
    """Write a product; kernels call what is compiled for the kind of factors."""
    raise NotImplementedError("it is for kernels")


@compiled_as(_multiply, prefer_literal=True)
def _multiply_compiled(weights: Any, source: Any, target: Any, width: Any, stride: Any) -> Any:
    del source, target, width, stride

    def in_blocks(weights: Any, source: Any, target: Any, width: Any, stride: Any) -> None:
        given = columns_like(weights, source, width)
        depth = given.size // width
        for row in range(0, weights.size // depth, ROWS):
            multiply_block(weights, row * depth, depth, given, 0, width, depth, target, row * stride, stride, width)

    def with_matrices(weights: Any, source: Any, target: Any, width: Any, stride: Any) -> None:
        multiply_rows(weights, source, target, width, stride)

    return with_matrices if weights.dtype == types.uint32 else in_blocks


@fused_kernel
def add_to_rows(values: Floats, target: Floats, stride: int, width: int) -> None:
    """Add to the first ``width`` columns of each row of ``(rows, stride)`` its value of ``(rows,)``."""
    for row in range(values.size):
        value = values[row]
        t = target[row * stride : row * stride + width]
        for j in range(width):
            t[j] += value
