"""The innermost loop of all matrix products: four rows of a product, summed up in registers.

What numba makes of a loop over arrays loads and stores each sum at every step. Here the loop is written for LLVM: the
sums are vectors that stay in registers until they are complete, which is what reaches a processor's limit.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from cellscale.predict.native.arithmetic import FLOATS, LANES, PAIRS, SUMS, VECTORS, Arithmetic

__all__ = ["ROWS", "Multiplier", "convolve_block", "multiply_block"]

ROWS: Final = 4
"""Rows of a block."""

Multiplier = Callable[..., None]

_INDEX = ir.IntType(64)


def _multiply_block(
    typing: Any,
    left: Any,
    left_at: Any,
    left_stride: Any,
    right: Any,
    right_at: Any,
    right_stride: Any,
    depth: Any,
    target: Any,
    target_at: Any,
    target_stride: Any,
    columns: Any,
) -> Any:
    """Write ``left @ right`` for four rows of ``left``; every value is summed up in order, each step rounded once.

    Parameters
    ----------
    left, left_at, left_stride
        Flat float32, where its ``(4, depth)`` begin, and values from one row to the next; or pairs of bfloat16 along
        the sums, in int32.
    right, right_at, right_stride
        The same of ``(depth, columns)``.
    depth
        Number of products of a sum, or of pairs.
    target, target_at, target_stride
        The same of the result, ``(4, columns)``, which is float32.
    columns
        A constant that 16 divides.
    """
    del typing, left_at, left_stride, right_at, right_stride, depth, target_at, target_stride
    width = columns.literal_value
    if width % LANES:
        raise ValueError(f"{width} columns; expected a multiple of {LANES}")
    index = types.intp
    signature = types.void(left, index, index, right, index, index, index, target, index, index, columns)
    return signature, _emit


def _convolve_block(
    typing: Any,
    left: Any,
    left_at: Any,
    left_stride: Any,
    right: Any,
    right_at: Any,
    right_stride: Any,
    depth: Any,
    target: Any,
    target_at: Any,
    target_stride: Any,
    columns: Any,
    bias: Any,
    bias_at: Any,
    adds: Any,
    rectifies: Any,
) -> Any:
    """Write what `_multiply_block` does, with a bias for each column.

    Parameters
    ----------
    bias, bias_at
        Flat float32, and where its ``(columns,)`` begin.
    adds
        Whether sums begin with what the target holds, a constant.
    rectifies
        Whether a ReLU follows, a constant. NaN stays NaN, as it has to be noticed.
    """
    parts = (left, left_at, left_stride, right, right_at, right_stride, depth, target, target_at, target_stride)
    (*given, _), emit = _multiply_block(typing, *parts, columns)[0].args, _emit
    return types.void(*given, columns, bias, types.intp, adds, rectifies), emit


def _emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Write the instructions of a block; numba calls this for both kinds."""
    left, left_at, left_stride, right, right_at, right_stride, depth, target, target_at, target_stride = values[:10]

    def begin(argument: int, array: Any, at: Any) -> Any:
        made = context.make_array(signature.args[argument])(context, builder, value=array)
        return builder.gep(made.data, [at])

    rows = [begin(0, left, builder.add(left_at, builder.mul(left_stride, _number(row)))) for row in range(ROWS)]
    source, result = begin(3, right, right_at), begin(7, target, target_at)
    lines = [builder.gep(result, [builder.mul(target_stride, _number(row))]) for row in range(ROWS)]
    has_bias = len(values) > 11
    bias = begin(11, values[11], values[12]) if has_bias else None
    adds, rectifies = (one.literal_value for one in signature.args[13:]) if has_bias else (False, False)
    columns = signature.args[10].literal_value
    arithmetic = PAIRS if signature.args[3].dtype == types.int32 else FLOATS
    step = min(LANES * VECTORS, columns)
    nothing = ir.Constant(SUMS, [0.0] * LANES)
    for first in range(0, columns, step):
        places = [
            [_vector_at(builder, line, first + LANES * number) for number in range(step // LANES)] for line in lines
        ]
        sums = [
            [_kept(builder, builder.load(place, align=4) if adds else nothing) for place in line] for line in places
        ]
        _sum_up(builder, arithmetic, rows, builder.gep(source, [_number(first)]), right_stride, depth, sums)
        for line, vectors in zip(places, sums, strict=True):
            for number, (place, vector) in enumerate(zip(line, vectors, strict=True)):
                value = builder.load(vector)
                if bias is not None:
                    added = builder.load(_vector_at(builder, bias, first + LANES * number), align=4)
                    value = builder.fadd(value, added)
                if rectifies:
                    value = builder.select(builder.fcmp_ordered("<", value, nothing), nothing, value)
                builder.store(value, place, align=4)
    return context.get_dummy_value()


def _sum_up(
    builder: Any, arithmetic: Arithmetic, rows: list[Any], source: Any, stride: Any, depth: Any, sums: list[list[Any]]
) -> None:
    """Write the loop over the products of a sum, which are added to the vectors of each row."""
    kind = arithmetic.factors
    with cgutils.for_range(builder, depth) as loop:
        line = builder.gep(source, [builder.mul(loop.index, stride)])
        places = (_vector_at(builder, line, LANES * one, kind) for one in range(len(sums[0])))
        loaded = [builder.load(place, align=4) for place in places]
        for row, own in zip(rows, sums, strict=True):
            factor = _repeated(builder, builder.load(builder.gep(row, [loop.index])), kind)
            for vector, given in zip(own, loaded, strict=True):
                builder.store(arithmetic.step(builder, factor, given, builder.load(vector)), vector)


def _kept(builder: Any, value: Any) -> Any:
    """Return where a vector is kept from step to step: a register, as its address goes nowhere."""
    place = cgutils.alloca_once(builder, SUMS)
    builder.store(value, place)
    return place


def _number(value: int) -> Any:
    return ir.Constant(_INDEX, value)


def _vector_at(builder: Any, line: Any, place: int, kind: Any = SUMS) -> Any:
    """Return a pointer to a vector that begins at a place of a row."""
    return builder.bitcast(builder.gep(line, [_number(place)]), kind.as_pointer())


def _repeated(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector of one value."""
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


multiply_block = cast(Multiplier, intrinsic(prefer_literal=True)(_multiply_block))
"""`_multiply_block` for kernels to call."""

convolve_block = cast(Multiplier, intrinsic(prefer_literal=True)(_convolve_block))
"""`_convolve_block` for kernels to call."""
