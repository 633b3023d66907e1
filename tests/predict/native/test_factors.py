"""Factors are rounded to the nearest bfloat16, laid out in pairs along the sums, and multiplied exactly."""

import numpy as np
import pytest

from cellscale.compiled import fused_kernel
from cellscale.errors import RequestError
from cellscale.predict.native.arithmetic import require_bfloat16
from cellscale.predict.native.body.pointwise import multiply, panels
from cellscale.predict.native.factors import (
    Factors,
    Floats,
    columns_like,
    paired,
    rounded,
    rows_like,
    widened,
)
from cellscale.predict.native.heads.products import product_of
from tests.predict.native.processors import NEEDS_BF16

RANDOM = np.random.default_rng(4)
SPECIAL = np.array(
    [0, -0.0, 1, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -3.4e38, 3.4e38, np.inf, -np.inf, np.nan]
)
"""Of two that are as near, the even one is taken; what is too large becomes infinite."""


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


@fused_kernel
def compiled_rows(weights: Factors, source: Floats) -> Factors:
    return rows_like(weights, source)


@fused_kernel
def compiled_columns(weights: Factors, source: Floats, width: int) -> Factors:
    return columns_like(weights, source, width)


def test_values_are_rounded_to_the_nearest() -> None:
    expected = [0, -0.0, 1, 1, 1 + 2**-6, 1 + 2**-7, -np.inf, np.inf, np.inf, -np.inf, np.nan]
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(widened(rounded(SPECIAL.astype(np.float32))), np.float32(expected))
    values = normal(1000)
    found = widened(rounded(values))
    below, above = widened(rounded(found) - 1), widened(rounded(found) + 1)
    assert (np.abs(found - values) <= np.minimum(np.abs(below - values), np.abs(above - values))).all()


@NEEDS_BF16
def test_kernels_round_as_numpy_does() -> None:
    values = np.concatenate([SPECIAL.astype(np.float32), normal(53)])
    weights = np.zeros(16, np.int32)
    for found, expected in (
        (compiled_rows(weights, values), rows_like(weights, values)),
        (compiled_columns(weights, values, 16), columns_like(weights, values, 16)),
    ):
        np.testing.assert_array_equal(*(widened(pairs.view(np.uint16)) for pairs in (found, expected)))
    np.testing.assert_array_equal(
        columns_like(weights, values, 16)[:16].view(np.uint16)[1::2], rounded(values[16:32])
    )


def test_factors_of_float32_are_left_as_they_are() -> None:
    values = normal(64)
    for found in (compiled_rows(values, values), compiled_columns(values, values, 16), rows_like(values, values)):
        np.testing.assert_array_equal(found, values)


@NEEDS_BF16
@pytest.mark.parametrize(("rows", "depth", "columns"), [(4, 64, 64), (12, 2048, 128)])
def test_a_product_of_pairs_is_that_of_the_rounded_matrices(rows: int, depth: int, columns: int) -> None:
    left, right, target = normal(rows, depth), normal(depth, columns), np.empty(rows * columns, np.float32)
    multiply(paired(left).reshape(-1), depth // 2, panels(right, in_pairs=True), target, columns)
    expected = widened(rounded(left)).astype(np.float64) @ widened(rounded(right))
    np.testing.assert_allclose(target.reshape(rows, columns), expected, rtol=1e-5, atol=1e-6 * depth)


@NEEDS_BF16
def test_a_product_of_rounded_weights_rounds_what_it_is_given() -> None:
    weights, source, target = normal(128, 64), normal(64, 32), np.full((128, 40), 7, np.float32)
    product_of(32, 40)(paired(weights).reshape(-1), source.reshape(-1), target.reshape(-1))
    expected = widened(rounded(weights)).astype(np.float64) @ widened(rounded(source))
    np.testing.assert_allclose(target[:, :32], expected, rtol=1e-5, atol=1e-4)
    assert (target[:, 32:] == 7).all()


@pytest.mark.parametrize("features", ["+fma,+avx2,-avx512bf16", "+avx512f,+avx512bw", "", "+neon,+bf16"])
def test_a_target_without_the_instructions_is_refused(monkeypatch: pytest.MonkeyPatch, features: str) -> None:
    monkeypatch.setattr("numba.config.CPU_FEATURES", features)
    with pytest.raises(RequestError, match=r"needs AVX-512 BF16.*compiled for older ones. Leave --precision out"):
        require_bfloat16()
