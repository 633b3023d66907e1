"""How products of matrices multiply and add: float32, or pairs of bfloat16 that are summed up in float32."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numba
from llvmlite import ir
from numba.core import cgutils, codegen

from cellscale.errors import RequestError

__all__ = ["FLOATS", "LANES", "PAIRS", "SUMS", "VECTORS", "Arithmetic", "has_feature", "require_bfloat16"]


def _target_features() -> str:
    """Return what kernels are compiled for, as LLVM writes it: ``+avx2,-avx512f,...``."""
    features = numba.config.CPU_FEATURES
    return str(codegen.get_host_cpu_features() if features is None else features)


def has_feature(feature: str) -> bool:
    """Return whether kernels are compiled for processors with something, as LLVM calls it."""
    return f"+{feature}" in _target_features().split(",")


_IS_WIDE: Final = has_feature("avx512f")
"""Whether there are 32 registers of 16 values each, rather than of 8 or fewer."""

LANES: Final = 16 if _IS_WIDE else 8
"""Values of a vector. Where registers are smaller, LLVM takes two for one."""

VECTORS: Final = 4 if _IS_WIDE else 2
"""Vectors of a row that are summed up at once: with the rows of a block, as many as registers hold and a
multiplication's latency asks for."""

SUMS: Final = ir.VectorType(ir.FloatType(), LANES)
"""Sums are float32 in any case."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A step of the sums of a vector."""

    factors: Any
    """LLVM's type of a vector of what is multiplied."""
    step: Callable[[Any, Any, Any, Any], Any]
    """Writes the instruction; is given LLVM's builder, two vectors of factors and the sums, and returns the new
    sums."""


def _multiply_add(builder: Any, left: Any, right: Any, sums: Any) -> Any:
    kind = ir.FunctionType(SUMS, [SUMS] * 3)
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{LANES}f32")
    return builder.call(function, [left, right, sums])


_TWO: Final = ir.VectorType(ir.IntType(32), LANES)


def _multiply_add_pairs(builder: Any, left: Any, right: Any, sums: Any) -> Any:
    # LLVM 16 gave this function vectors of bfloat16; it still takes the pairs of LLVM 14 and rewrites the call.
    kind = ir.FunctionType(SUMS, [SUMS, _TWO, _TWO])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.avx512bf16.dpbf16ps.512")
    return builder.call(function, [sums, left, right])


FLOATS: Final = Arithmetic(SUMS, _multiply_add)
"""One product of float32 is added, rounded once."""

PAIRS: Final = Arithmetic(_TWO, _multiply_add_pairs)
"""Two products of bfloat16 are added. An int32 holds two factors, the earlier one in its lower half."""


def require_bfloat16() -> None:
    """Raise `RequestError` where `PAIRS` cannot be computed.

    Nothing else finds out: LLVM ends the process where it is asked for an instruction that its target lacks.
    """
    if _IS_WIDE and has_feature("avx512bf16"):
        return
    kernels = "" if numba.config.CPU_FEATURES is None else ", or kernels here are compiled for older ones"
    raise RequestError(
        "--precision bf16 with --device cpu needs AVX-512 BF16, as AMD has from Zen 4 and Intel from Sapphire Rapids "
        f"on; this processor has none{kernels}. Leave --precision out."
    )
