"""Instructions of AVX-512 BF16 that round 16 values of float32, into one or several values of bfloat16."""

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from cellscale.predict.native.arithmetic import SUMS

__all__ = ["split_16", "split_pairs_16"]

_AT_ONCE: Final = 16
"""Values that one instruction rounds."""

_HALVES: Final = ir.VectorType(ir.IntType(16), _AT_ONCE)
"""16 values of bfloat16."""

_PAIRED: Final = ir.VectorType(ir.IntType(32), _AT_ONCE)
"""16 pairs of them."""

_SHIFT: Final = ir.Constant(_PAIRED, [16] * _AT_ONCE)


def _split(typing: Any, source: Any, at: Any, target: Any, to: Any, between: Any, pieces: Any) -> Any:
    """Write the pieces of 16 values from ``source[at]`` on, 8 pairs of neighbours each.

    Parameters
    ----------
    target, to
        Flat, and where the first piece is written.
    between
        From one piece to the next.
    pieces
        How many, a constant. What is not finite leaves NaN in those after the first.
    """
    del typing, at, to, between
    return types.void(source, types.intp, target, types.intp, types.intp, pieces), _emit_split


def _emit_split(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    source, at, target, to, between, _ = values
    given = _loaded(context, builder, signature.args[0], source, at)
    for halves in _pieces(builder, given, signature.args[5].literal_value):
        place = _place(context, builder, signature.args[2], target, to)
        builder.store(halves, builder.bitcast(place, _HALVES.as_pointer()), align=4)
        to = builder.add(to, between)
    return context.get_dummy_value()


def _split_pairs(
    typing: Any, source: Any, at: Any, below: Any, target: Any, to: Any, between: Any, pieces: Any
) -> Any:
    """Write the pieces of 16 pairs of ``source[at]`` and ``source[below]`` on; other arguments as for `_split`."""
    del typing, at, below, to, between
    index = types.intp
    return types.void(source, index, index, target, index, index, pieces), _emit_pairs


def _emit_pairs(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    source, at, below, target, to, between, _ = values
    pieces = signature.args[6].literal_value
    rows = (_loaded(context, builder, signature.args[0], source, place) for place in (at, below))
    for low, high in zip(*(_pieces(builder, row, pieces) for row in rows), strict=True):
        pairs = builder.or_(builder.zext(low, _PAIRED), builder.shl(builder.zext(high, _PAIRED), _SHIFT))
        place = _place(context, builder, signature.args[3], target, to)
        builder.store(pairs, builder.bitcast(place, _PAIRED.as_pointer()), align=4)
        to = builder.add(to, between)
    return context.get_dummy_value()


def _loaded(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    place = _place(context, builder, kind, array, at)
    return builder.load(builder.bitcast(place, SUMS.as_pointer()), align=4)


def _pieces(builder: Any, values: Any, pieces: int) -> list[Any]:
    """Return the pieces of 16 values, from the largest on."""
    found = [_nearest(builder, values)]
    while len(found) < pieces:
        nearest = builder.bitcast(builder.shl(builder.zext(found[-1], _PAIRED), _SHIFT), SUMS)
        values = builder.fsub(values, nearest)
        found.append(_nearest(builder, values))
    return found


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Return a pointer to ``array[at]``; ``kind`` is numba's of the array."""
    made = context.make_array(kind)(context, builder, value=array)
    return builder.gep(made.data, [at])


def _nearest(builder: Any, values: Any) -> Any:
    """Return 16 values rounded to bfloat16, of two to the even one."""
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_HALVES, [SUMS]), "llvm.x86.avx512bf16.cvtneps2bf16.512"
    )
    return builder.call(function, [values])


split_16 = cast(Callable[..., None], intrinsic(prefer_literal=True)(_split))
"""`_split` for kernels to call."""

split_pairs_16 = cast(Callable[..., None], intrinsic(prefer_literal=True)(_split_pairs))
"""`_split_pairs` for kernels to call."""
