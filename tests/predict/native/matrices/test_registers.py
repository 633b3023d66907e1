"""What a kernel left in the registers would be saved at every change of threads: nothing is left."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from cellscale.compiled import kernel
from cellscale.predict.native.body.matrix_convolutions import MatrixNeighbours, MatrixPointwise
from cellscale.predict.native.factors import Floats
from cellscale.predict.native.matrices import left_matrices, multiply_rows
from cellscale.predict.native.matrices.registers import configure, load, release
from cellscale.predict.native.memory import Room, empty
from tests.predict.native.processors import NEEDS_AMX

RANDOM = np.random.default_rng(7)
MATRICES = 3 << 17
"""Of what of a processor is in use: how the registers are set up, and what they hold."""


@intrinsic
def _in_use(typing: Any) -> Any:
    """Return which parts of the processor's state are in use, one bit each (``XGETBV``)."""
    del typing

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        del context, signature, values
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(32)])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.xgetbv")
        return builder.call(function, [ir.Constant(ir.IntType(32), 1)])

    return types.int64(), emit


@kernel
def in_use() -> int:
    return int(_in_use())


@kernel
def in_use_within(values: Floats) -> int:
    configure()
    load(3, values, 0, 16)
    found = _in_use()
    release()
    return int(found)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


@NEEDS_AMX
def test_registers_are_given_up_after_each_kernel() -> None:
    values = empty(256)
    values[:] = 1
    assert in_use_within(values) & MATRICES == MATRICES
    assert in_use() & MATRICES == 0
    given, target = normal(64 * 64), empty(64 * 64)
    MatrixPointwise.of(normal(64, 64, 1, 1), normal(64), 3).apply(given, target)
    assert in_use() & MATRICES == 0
    MatrixNeighbours.of(normal(64, 64, 3, 3), normal(64), 3).apply(given, 8, target, Room())
    assert in_use() & MATRICES == 0
    multiply_rows(left_matrices(normal(64, 64), 3), given, target, 64, 64)
    assert in_use() & MATRICES == 0
