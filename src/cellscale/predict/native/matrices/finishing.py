"""What is done to sums before they are written to a map: LLVM's own loops would look for overlaps in every row."""

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cellscale.predict.native.arithmetic import LANES, SUMS

__all__ = ["finish_row"]

_VECTORS: Final = 2
"""Vectors of a row."""


def _finish_row(
    typing: Any,
    sums: Any,
    at: Any,
    bias: Any,
    bias_at: Any,
    target: Any,
    target_at: Any,
    adds: Any,
    rectifies: Any,
) -> Any:
    """Write 32 sums from ``sums[at]`` on to ``target[target_at]`` on.

    Parameters
    ----------
    bias, bias_at
        Of the columns, and where theirs begin.
    adds
        Whether what the target holds is added, a constant.
    rectifies
        Whether a ReLU follows, a constant. NaN stays NaN, as it has to be noticed.
    """
    del typing, at, bias_at, target_at
    index = types.intp
    return types.void(sums, index, bias, index, target, index, adds, rectifies), _emit


def _emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    def vector(argument: int, number: int) -> Any:
        kind, array, at = signature.args[argument], values[argument], values[argument + 1]
        made = context.make_array(kind)(context, builder, value=array)
        place = builder.add(at, ir.Constant(at.type, number * LANES))
        return builder.bitcast(builder.gep(made.data, [place]), SUMS.as_pointer())

    adds, rectifies = (kind.literal_value for kind in signature.args[6:])
    nothing = ir.Constant(SUMS, [0.0] * LANES)
    for number in range(_VECTORS):
        value, place = builder.load(vector(0, number), align=4), vector(4, number)
        if adds:
            value = builder.fadd(builder.load(place, align=4), value)
        value = builder.fadd(value, builder.load(vector(2, number), align=4))
        if rectifies:
            value = builder.select(builder.fcmp_ordered("<", value, nothing), nothing, value)
        builder.store(value, place, align=4)
    return context.get_dummy_value()


finish_row = cast(Callable[..., None], intrinsic(prefer_literal=True)(_finish_row))
