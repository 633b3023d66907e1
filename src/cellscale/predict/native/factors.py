"""What the products of matrices multiply: float32 as it is, or rounded to bfloat16, in pairs along the sums."""

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from cellscale.predict.native.arithmetic import SUMS

__all__ = [
    "HALVES",
    "PAIRED",
    "FactorKind",
    "Factors",
    "Floats",
    "Matrices",
    "Pairs",
    "columns_like",
    "compiled_as",
    "nearest_16",
    "pair_16",
    "paired",
    "paired_rows",
    "place_of",
    "round_16",
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

_AT_ONCE: Final = 16
"""Values that one instruction rounds."""

HALVES: Final = ir.VectorType(ir.IntType(16), _AT_ONCE)
"""LLVM's type of 16 values of bfloat16."""

PAIRED: Final = ir.VectorType(ir.IntType(32), _AT_ONCE)
"""LLVM's type of 16 pairs of them."""


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


def _round_row(typing: Any, source: Any, at: Any, target: Any, to: Any) -> Any:
    """Write 16 values from ``source[at]`` on as 8 pairs from ``target[to]`` on. NaN stays NaN."""
    del typing, at, to
    return types.void(source, types.intp, target, types.intp), _emit_row


def _emit_row(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    source, at, target, to = values
    halves = _halves(builder, place_of(context, builder, signature.args[0], source, at))
    place = place_of(context, builder, signature.args[2], target, to)
    builder.store(halves, builder.bitcast(place, HALVES.as_pointer()), align=4)
    return context.get_dummy_value()


def _pair_rows(typing: Any, source: Any, at: Any, below: Any, target: Any, to: Any) -> Any:
    """Write pairs of 16 values from ``source[at]`` and from ``source[below]`` on from ``target[to]`` on."""
    del typing, at, below, to
    index = types.intp
    return types.void(source, index, index, target, index), _emit_rows


def _emit_rows(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    source, at, below, target, to = values
    low, high = (
        builder.zext(_halves(builder, place_of(context, builder, signature.args[0], source, place)), PAIRED)
        for place in (at, below)
    )
    pairs = builder.or_(low, builder.shl(high, ir.Constant(PAIRED, [16] * _AT_ONCE)))
    place = place_of(context, builder, signature.args[3], target, to)
    builder.store(pairs, builder.bitcast(place, PAIRED.as_pointer()), align=4)
    return context.get_dummy_value()


def place_of(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Return LLVM's pointer to ``array[at]``; ``kind`` is numba's of the array."""
    made = context.make_array(kind)(context, builder, value=array)
    return builder.gep(made.data, [at])


def _halves(builder: Any, place: Any) -> Any:
    """Return the 16 values of a place in bfloat16."""
    return nearest_16(builder, builder.load(builder.bitcast(place, SUMS.as_pointer()), align=4))


def nearest_16(builder: Any, values: Any) -> Any:
    """Return 16 values of float32 rounded to bfloat16, as LLVM's vector."""
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(HALVES, [SUMS]), "llvm.x86.avx512bf16.cvtneps2bf16.512"
    )
    return builder.call(function, [values])


compiled_as = cast(Callable[..., Callable[[Callable[..., Any]], object]], overload)
"""What kernels call in the place of a function is chosen by the types that it is given."""

round_16 = cast(Callable[..., None], intrinsic(_round_row))
pair_16 = cast(Callable[..., None], intrinsic(_pair_rows))


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
            round_16(source, at, target, at // 2)
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
                pair_16(source, at, at + width, target, row * width + column)
        return target

    return same if weights.dtype == types.float32 else rounding
