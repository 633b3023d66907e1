"""Three values of bfloat16 are any value of float32, to the bit; kernels split as numpy does."""

import numpy as np
import pytest

from cellscale.compiled import fused_kernel
from cellscale.predict.native.factors import Floats, Matrices, rounded
from cellscale.predict.native.matrices.pieces import pieces_of
from cellscale.predict.native.rounding import split_16, split_pairs_16
from tests.predict.native.processors import NEEDS_BF16

RANDOM = np.random.default_rng(4)
VALUES = np.concatenate(
    [
        RANDOM.normal(size=48),
        1e10 * RANDOM.normal(size=16),
        1e-20 * RANDOM.normal(size=16),
        [0, -0.0, 1, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, 1 + 2**-23, 2**-100, *-(2.0 ** np.arange(8))],
    ]
).astype(np.float32)


@fused_kernel
def split(source: Floats, target: Matrices, between: int) -> None:
    for at in range(0, source.size, 16):
        split_16(source, at, target, at // 2, between, 3)


@fused_kernel
def split_pairs(source: Floats, target: Matrices, width: int) -> None:
    for column in range(0, width, 16):
        split_pairs_16(source, column, width + column, target, column, width, 3)


def test_three_pieces_are_the_value() -> None:
    pieces = pieces_of(VALUES, 3)
    np.testing.assert_array_equal(np.sum(np.float64(pieces), axis=0), VALUES)
    for piece in pieces:
        np.testing.assert_array_equal(piece.view(np.uint32) & 0xFFFF, 0)


@pytest.mark.parametrize(("pieces", "left"), [(1, 2.0**-8), (2, 2.0**-16)])
def test_fewer_pieces_leave_the_last_bits(pieces: int, left: float) -> None:
    found = np.sum(np.float64(pieces_of(VALUES, pieces)), axis=0)
    assert (np.abs(found - VALUES) <= left * np.abs(VALUES)).all()
    assert (found != VALUES).any()


@NEEDS_BF16
def test_kernels_split_as_numpy_does() -> None:
    expected = np.stack([rounded(piece) for piece in pieces_of(VALUES, 3)])
    neighbours = np.empty(3 * VALUES.size // 2, np.uint32)
    split(VALUES, neighbours, VALUES.size // 2)
    np.testing.assert_array_equal(neighbours.view(np.uint16).reshape(3, -1), expected)
    rows = np.empty(3 * VALUES.size // 2, np.uint32)
    split_pairs(VALUES, rows, VALUES.size // 2)
    pairs = rows.view(np.uint16).reshape(3, -1, 2).transpose(0, 2, 1).reshape(3, -1)
    np.testing.assert_array_equal(pairs, expected)


@NEEDS_BF16
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.4e38])
def test_what_bfloat16_cannot_hold_is_not_finite(value: float) -> None:
    given, target = np.zeros(16, np.float32), np.zeros(24, np.uint32)
    given[3] = value
    split(given, target, 8)
    found = target.view(np.uint16).astype(np.uint32) << 16
    bad = ~np.isfinite(found.view(np.float32).reshape(3, 16))
    assert bad[0, 3]
    assert not np.delete(bad, 3, axis=1).any()
