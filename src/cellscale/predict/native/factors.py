"""What the products of matrices multiply: float32 as it is, or rounded to bfloat16, in pairs along the sums."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from cellscale.predict.native.rounding import split_16, split_pairs_16

__all__ = [
    "FactorKind",
    "Factors",
    "Floats",
    "Matrices",
    "Pairs",
    "columns_like",
    "compiled_as",
    "paired",
    "paired_rows",
    "rounded",
    "rows_like",
    "widened",
]

Floats: TypeAlias = NDArray[np.float32]

Pairs: TypeAlias = NDArray[np.int32]
"""Each two values of bfloat16, the earlier one in the lower half."""

Matrices: TypeAlias = NDArray[np.uint32]
"""The same for registers of matrices, in another order: ``(pieces, pairs)``, see
`cellscale.predict.native.matrices.pieces`. The type tells kernels which."""

Factors: TypeAlias = Floats | Pairs | Matrices

FactorKind: TypeAlias = Literal["floats", "pairs", "matrices", "fine matrices", "exact matrices"]
"""What weights are laid out as. In fine matrices each factor is the sum of two of bfloat16, in exact ones of three,
which have all of float32's bits."""


def rounded(values: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Return values as bfloat16, rounded to the nearest one, of two to the even one.

    Parameters
    ----------
    values
        Of any shape.

    Returns
    -------
    The upper halves of float32's bits, of the same shape.
    """
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    nearest = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), nearest)


def widened(halves: NDArray[np.uint16]) -> Floats:
    """Return the values that bfloat16 stands for."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def paired(values: NDArray[np.floating]) -> Pairs:
    """Return values as bfloat16, every two neighbours of the last axis as one: ``(..., n)`` to ``(..., n / 2)``."""
    return np.ascontiguousarray(rounded(values)).view(np.int32)


def paired_rows(values: NDArray[np.floating]) -> Pairs:
    """Return values as bfloat16, every two rows as one: ``(..., n, width)`` to ``(..., n / 2, width)``."""
    *others, rows, width = values.shape
    return paired(values.reshape(*others, rows // 2, 2, width).swapaxes(-1, -2)).reshape(*others, rows // 2, width)


compiled_as = cast(Callable[..., Callable[[Callable[..., Any]], object]], overload)
"""What kernels call in the place of a function is chosen by the types that it is given."""


def rows_like(weights: Factors, source: Floats) -> Factors:
    """Return what stands on the left of a product, as its weights are: ``source`` itself, or neighbours in pairs.

    Parameters
    ----------
    weights
        What it is multiplied with.
    source
        Flat; 16 divides its size.
    """
    return source if weights.dtype == np.float32 else paired(source)


@compiled_as(rows_like)
def _rows_like(weights: Any, source: Any) -> Any:
    del source

    def same(weights: Any, source: Any) -> Any:
        return source

    def rounding(weights: Any, source: Any) -> Any:
        target = np.empty(source.size // 2, np.int32)
        for at in range(0, source.size, 16):
            split_16(source, at, target, at // 2, 0, 1)
        return target

    return same if weights.dtype == types.float32 else rounding


def columns_like(weights: Factors, source: Floats, width: int) -> Factors:
    """Return what stands on the right of a product, as its weights are: ``source``, or two rows as one of pairs.

    Parameters
    ----------
    weights
        What it is multiplied with.
    source
        ``(rows, width)`` flat, with an even number of rows.
    width
        Of a row; 16 divides it.
    """
    if weights.dtype == np.float32:
        return source
    return paired_rows(source.reshape(-1, width)).reshape(-1)


@compiled_as(columns_like)
def _columns_like(weights: Any, source: Any, width: Any) -> Any:
    del source, width

    def same(weights: Any, source: Any, width: Any) -> Any:
        return source

    def rounding(weights: Any, source: Any, width: Any) -> Any:
        target = np.empty(source.size // 2, np.int32)
        for row in range(source.size // (2 * width)):
            for column in range(0, width, 16):
                at = 2 * row * width + column
                split_pairs_16(source, at, at + width, target, row * width + column, 0, 1)
        return target

    return same if weights.dtype == types.float32 else rounding
