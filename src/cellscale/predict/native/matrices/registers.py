"""The instructions of AMX, for kernels to call.

Registers are numbered from 0 to 7. Each holds 16 rows of 64 bytes: 16 x 16 sums in float32, or 16 rows of 16 pairs of
bfloat16. A kernel calls `configure` first and `release` last, and may not fail in between: what is left in registers
would be saved at every change of threads, and be in the way of other libraries that use them.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["SIDE", "add_product", "clear", "configure", "load", "release", "store"]

SIDE: Final = 16
"""Rows and columns of a register."""

_REGISTERS: Final = 8

_BYTE = ir.IntType(8)
_INDEX = ir.IntType(64)
_POINTER = _BYTE.as_pointer()


def _configuration() -> bytes:
    """Return what all registers are to be, as Intel's manual of instructions lays it out for ``LDTILECFG``."""
    unused = 16 - _REGISTERS
    columns = (4 * SIDE).to_bytes(2, "little") * _REGISTERS + bytes(2 * unused)
    return bytes([1, *[0] * 15]) + columns + bytes([SIDE] * _REGISTERS) + bytes(unused)


def _call(builder: Any, name: str, *values: Any) -> None:
    """Write a call of one of LLVM's functions for AMX."""
    kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}"), values)


def _number(kind: Any) -> Any:
    """Return the number of a register, which is part of an instruction."""
    return ir.Constant(_BYTE, kind.literal_value)


def _configure(typing: Any) -> Any:
    """Set all registers up."""
    del typing

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        del signature, values
        content = cgutils.make_bytearray(_configuration())
        place = cgutils.global_constant(builder.module, "registers_of_matrices", content)
        _call(builder, "ldtilecfg", builder.bitcast(place, _POINTER))
        return context.get_dummy_value()

    return types.void(), emit


def _release(typing: Any) -> Any:
    """Give all registers up."""
    del typing

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        del signature, values
        _call(builder, "tilerelease")
        return context.get_dummy_value()

    return types.void(), emit


def _clear(typing: Any, register: Any) -> Any:
    """Fill a register with zeros."""
    del typing

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        del values
        _call(builder, "tilezero", _number(signature.args[0]))
        return context.get_dummy_value()

    return types.void(register), emit


def _load(typing: Any, register: Any, array: Any, at: Any, stride: Any) -> Any:
    """Load a register from ``array[at]`` on, with ``stride`` values of 4 bytes from one row to the next."""
    del typing, at, stride
    return types.void(register, array, types.intp, types.intp), _move("tileloadd64")


def _store(typing: Any, register: Any, array: Any, at: Any, stride: Any) -> Any:
    """Store a register from ``array[at]`` on, with ``stride`` values of 4 bytes from one row to the next."""
    del typing, at, stride
    return types.void(register, array, types.intp, types.intp), _move("tilestored64")


def _move(name: str) -> Callable[..., Any]:
    """Return what writes an instruction between a register and memory."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, array, at, stride = values
        made = context.make_array(signature.args[1])(context, builder, value=array)
        place = builder.bitcast(builder.gep(made.data, [at]), _POINTER)
        _call(builder, name, _number(signature.args[0]), place, builder.mul(stride, ir.Constant(_INDEX, 4)))
        return context.get_dummy_value()

    return emit


def _add_product(typing: Any, sums: Any, left: Any, right: Any) -> Any:
    """Add to sums the product of 16 rows of 32 factors with 32 rows of 16, which are 16 rows of pairs."""
    del typing

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        del values
        _call(builder, "tdpbf16ps", *(_number(kind) for kind in signature.args))
        return context.get_dummy_value()

    return types.void(sums, left, right), emit


configure = cast(Callable[[], None], intrinsic(_configure))
release = cast(Callable[[], None], intrinsic(_release))
clear = cast(Callable[..., None], intrinsic(prefer_literal=True)(_clear))
load = cast(Callable[..., None], intrinsic(prefer_literal=True)(_load))
store = cast(Callable[..., None], intrinsic(prefer_literal=True)(_store))
add_product = cast(Callable[..., None], intrinsic(prefer_literal=True)(_add_product))
