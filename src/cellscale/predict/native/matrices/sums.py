"""Sums of 32 x 32 in four registers, with two for each side of the products that are added."""

from cellscale.compiled import fused_kernel
from cellscale.predict.native.factors import Floats, Matrices
from cellscale.predict.native.matrices.registers import SIDE, add_product, clear, load, store

__all__ = ["add_products", "clear_sums", "store_sums"]


@fused_kernel
def clear_sums() -> None:
    """Fill the sums, registers 0 to 3, with zeros."""
    clear(0)
    clear(1)
    clear(2)
    clear(3)


@fused_kernel
def store_sums(target: Floats, at: int, stride: int) -> None:
    """Write the sums from ``target[at]`` on, with ``stride`` values from one row to the next."""
    store(0, target, at, stride)
    store(1, target, at + SIDE, stride)
    store(2, target, at + SIDE * stride, stride)
    store(3, target, at + SIDE * stride + SIDE, stride)


@fused_kernel
def _load_left(left: Matrices, first: int, second: int) -> None:
    load(4, left, first, SIDE)
    load(5, left, second, SIDE)


@fused_kernel
def _load_right(right: Matrices, first: int, second: int) -> None:
    load(6, right, first, SIDE)
    load(7, right, second, SIDE)


@fused_kernel
def _add() -> None:
    add_product(0, 4, 6)
    add_product(1, 4, 7)
    add_product(2, 5, 6)
    add_product(3, 5, 7)


@fused_kernel
def add_products(
    left: Matrices,
    first: int,
    second: int,
    left_step: int,
    right: Matrices,
    upper: int,
    lower: int,
    right_step: int,
    steps: int,
) -> None:
    """Add products to the sums.

    Parameters
    ----------
    left
        ``(pieces, pairs)``, in blocks.
    first, second
        Where the blocks of both times 16 rows begin in the first piece.
    left_step
        From one block of a row to the next.
    right, upper, lower, right_step
        The same of what stands on the right, and of its columns.
    steps
        Blocks of a row.
    """
    pieces, a, b = left.shape[0], left.shape[1], right.shape[1]
    for _ in range(steps):
        # From product to product one side stays in its registers; the least ones are added first.
        if pieces == 1:
            _load_left(left, first, second)
            _load_right(right, upper, lower)
        elif pieces == 2:
            _load_left(left, first + a, second + a)
            _load_right(right, upper, lower)
            _add()
            _load_left(left, first, second)
            _load_right(right, upper + b, lower + b)
            _add()
            _load_right(right, upper, lower)
        else:
            _load_left(left, first, second)
            _load_right(right, upper + 2 * b, lower + 2 * b)
            _add()
            _load_right(right, upper + b, lower + b)
            _add()
            _load_left(left, first + a, second + a)
            _add()
            _load_right(right, upper, lower)
            _add()
            _load_left(left, first + 2 * a, second + 2 * a)
            _add()
            _load_left(left, first, second)
        _add()
        first += left_step
        second += left_step
        upper += right_step
        lower += right_step
