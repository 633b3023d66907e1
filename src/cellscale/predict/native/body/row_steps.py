"""Steps that are done to some channels of a pixel: in a loop of numba's, LLVM would look for overlaps before each."""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cellscale.predict.native.arithmetic import LANES, SUMS

__all__ = ["copy_row", "finish_row"]

_INDEX = ir.IntType(64)


def _copy_row(typing: Any, source: Any, at: Any, target: Any, to: Any, columns: Any) -> Any:
    """Copy ``columns``, a constant, from ``source[at]`` on to ``target[to]`` on; they do not overlap."""
    del typing, at, to
    return types.void(source, types.intp, target, types.intp, columns), _emit_copy


def _emit_copy(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    for number in range(signature.args[4].literal_value // LANES):
        given = _vector(context, builder, signature, values, 0, number)
        place = _vector(context, builder, signature, values, 2, number)
        builder.store(builder.load(given, align=4), place, align=4)
    return context.get_dummy_value()


def _finish_row(
    typing: Any,
    sums: Any,
    at: Any,
    bias: Any,
    bias_at: Any,
    target: Any,
    to: Any,
    columns: Any,
    adds: Any,
    rectifies: Any,
) -> Any:
    """Write sums from ``sums[at]`` on to ``target[to]`` on.

    Parameters
    ----------
    bias, bias_at
        Of the columns, and where theirs begin.
    columns
        Number of sums, a constant that 16 divides.
    adds
        Whether what the target holds is added, a constant.
    rectifies
        Whether a ReLU follows, a constant. NaN stays NaN, as it has to be noticed.
    """
    del typing, at, bias_at, to
    index = types.intp
    return types.void(sums, index, bias, index, target, index, columns, adds, rectifies), _emit_finish


def _emit_finish(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    columns, adds, rectifies = (kind.literal_value for kind in signature.args[6:])
    nothing = ir.Constant(SUMS, [0.0] * LANES)
    for number in range(columns // LANES):
        given, bias, place = (
            _vector(context, builder, signature, values, argument, number) for argument in (0, 2, 4)
        )
        value = builder.load(given, align=4)
        if adds:
            value = builder.fadd(builder.load(place, align=4), value)
        value = builder.fadd(value, builder.load(bias, align=4))
        if rectifies:
            value = builder.select(builder.fcmp_ordered("<", value, nothing), nothing, value)
        builder.store(value, place, align=4)
    return context.get_dummy_value()


def _vector(context: Any, builder: Any, signature: Any, values: Any, argument: int, number: int) -> Any:
    """Return a pointer to a vector of an array, whose beginning is the argument that follows it."""
    made = context.make_array(signature.args[argument])(context, builder, value=values[argument])
    place = builder.add(values[argument + 1], ir.Constant(_INDEX, number * LANES))
    return builder.bitcast(builder.gep(made.data, [place]), SUMS.as_pointer())


copy_row = cast(Callable[..., None], intrinsic(prefer_literal=True)(_copy_row))
"""`_copy_row` for kernels to call."""

finish_row = cast(Callable[..., None], intrinsic(prefer_literal=True)(_finish_row))
"""`_finish_row` for kernels to call."""
