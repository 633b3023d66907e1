"""The innermost loop of all matrix products: four rows of a product, summed up in registers.

What numba makes of a loop over arrays loads and stores each sum at every step. Here the loop is written for LLVM: the
sums are vectors that stay in registers until they are complete, which is what reaches a processor's limit.
"""

from collections.abc import Callable
from typing import Any, Final, cast

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["ROWS", "Multiplier", "convolve_block", "multiply_block"]

ROWS: Final = 4
"""Rows of a block."""

Multiplier = Callable[..., None]

_INDEX = ir.IntType(64)


def _has_wide_registers() -> bool:
    """Return whether there are 32 registers of 16 values each, rather than of 8 or fewer."""
    target = numba.config.CPU_FEATURES
    if target is None:
        return bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))
    return "+avx512f" in target


_LANES: Final = 16 if _has_wide_registers() else 8
"""Values of a vector. Where registers are smaller, LLVM takes two for one."""

_VECTORS: Final = 4 if _has_wide_registers() else 2
"""Vectors of a row that are summed up at once: with `ROWS`, as many as registers hold and a multiplication's latency
asks for."""

_VECTOR: Final = ir.VectorType(ir.FloatType(), _LANES)


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
        Flat float32, where its ``(4, depth)`` begin, and values from one row to the next.
    right, right_at, right_stride
        The same of ``(depth, columns)``.
    depth
        Number of products of a sum.
    target, target_at, target_stride
        The same of the result, ``(4, columns)``.
    columns
        A constant that 16 divides.
    """
    del typing, left_at, left_stride, right_at, right_stride, depth, target_at, target_stride
    width = columns.literal_value
    if width % _LANES:
        raise ValueError(f"{width} columns; expected a multiple of {_LANES}")
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
    step = min(_LANES * _VECTORS, columns)
    nothing = ir.Constant(_VECTOR, [0.0] * _LANES)
    for first in range(0, columns, step):
        places = [
            [_vector_at(builder, line, first + _LANES * number) for number in range(step // _LANES)] for line in lines
        ]
        sums = [
            [_kept(builder, builder.load(place, align=4) if adds else nothing) for place in line] for line in places
        ]
        _sum_up(builder, rows, builder.gep(source, [_number(first)]), right_stride, depth, sums)
        for line, vectors in zip(places, sums, strict=True):
            for number, (place, vector) in enumerate(zip(line, vectors, strict=True)):
                value = builder.load(vector)
                if bias is not None:
                    added = builder.load(_vector_at(builder, bias, first + _LANES * number), align=4)
                    value = builder.fadd(value, added)
                if rectifies:
                    value = builder.select(builder.fcmp_ordered("<", value, nothing), nothing, value)
                builder.store(value, place, align=4)
    return context.get_dummy_value()


def _sum_up(builder: Any, rows: list[Any], source: Any, stride: Any, depth: Any, sums: list[list[Any]]) -> None:
    """Write the loop over the products of a sum, which are added to the vectors of each row."""
    fused = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    multiply_add = cgutils.get_or_insert_function(builder.module, fused, f"llvm.fmuladd.v{_LANES}f32")
    with cgutils.for_range(builder, depth) as loop:
        line = builder.gep(source, [builder.mul(loop.index, stride)])
        loaded = [builder.load(_vector_at(builder, line, _LANES * one), align=4) for one in range(len(sums[0]))]
        for row, own in zip(rows, sums, strict=True):
            factor = _repeated(builder, builder.load(builder.gep(row, [loop.index])))
            for vector, given in zip(own, loaded, strict=True):
                builder.store(builder.call(multiply_add, [factor, given, builder.load(vector)]), vector)


def _kept(builder: Any, value: Any) -> Any:
    """Return where a vector is kept from step to step: a register, as its address goes nowhere."""
    place = cgutils.alloca_once(builder, _VECTOR)
    builder.store(value, place)
    return place


def _number(value: int) -> Any:
    return ir.Constant(_INDEX, value)


def _vector_at(builder: Any, line: Any, place: int) -> Any:
    """Return a pointer to a vector that begins at a place of a row."""
    return builder.bitcast(builder.gep(line, [_number(place)]), _VECTOR.as_pointer())


def _repeated(builder: Any, value: Any) -> Any:
    """Return a vector of one value."""
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES))


multiply_block = cast(Multiplier, intrinsic(prefer_literal=True)(_multiply_block))
"""`_multiply_block` for kernels to call."""

convolve_block = cast(Multiplier, intrinsic(prefer_literal=True)(_convolve_block))
"""`_convolve_block` for kernels to call."""
