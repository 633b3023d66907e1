"""A product with AMX is that of the rounded matrices, and leaves the registers free."""

import numpy as np
import pytest

from cellscale.predict.native.factors import rounded, widened
from cellscale.predict.native.heads.products import product_of
from cellscale.predict.native.matrices import left_matrices
from cellscale.predict.native.matrices.layout import right_matrices
from cellscale.predict.native.matrices.pieces import pieces_of
from cellscale.predict.native.memory import empty
from tests.predict.native.processors import NEEDS_AMX

RANDOM = np.random.default_rng(5)
TOLERANCES = {1: 1e-5, 2: 4e-4, 3: 1e-5}


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def test_each_factor_is_laid_out_once() -> None:
    left, right = normal(64, 96), normal(64, 96, 2)
    for found, given in ((left_matrices(left, 1), left), (right_matrices(right, 1), right)):
        np.testing.assert_array_equal(np.sort(found.view(np.uint16).reshape(-1)), np.sort(rounded(given).reshape(-1)))
    blocks = left_matrices(left, 1).view(np.uint16).reshape(2, 3, 2, 16, 32)
    np.testing.assert_array_equal(blocks[1, 2, 0], rounded(left[32:48, 64:96]))
    blocks = right_matrices(right, 1).view(np.uint16).reshape(2, 3, 2, 2, 16, 16, 2)
    np.testing.assert_array_equal(blocks[1, 2, 0, 1, 3, :, 1], rounded(right[48:64, 64 + 2 * 3 + 1, 0]))


def test_pieces_lie_in_the_same_places() -> None:
    weights = normal(64, 96, 9)
    weights[0, :5, 0] = [0, -0.0, np.nan, 2.0**-100, 1 + 2.0**-23]
    found = right_matrices(weights, 3)
    for laid_out, piece in zip(found, pieces_of(weights, 3), strict=True):
        np.testing.assert_array_equal(
            widened(laid_out.view(np.uint16)), widened(right_matrices(piece, 1).view(np.uint16))[0]
        )


@NEEDS_AMX
@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize(("width", "stride", "rows"), [(32, 32, 576), (64, 64, 576), (128, 160, 128), (32, 33, 32)])
def test_a_product_is_that_of_the_sums_of_pieces(width: int, stride: int, rows: int, pieces: int) -> None:
    weights, source, target = normal(rows, 64), normal(64, width), empty(rows * stride)
    target[:] = 7
    for _ in range(2):  # the second time with registers that were used
        product_of(width, stride)(left_matrices(weights, pieces), source.reshape(-1), target)
        found = target.reshape(rows, stride)
        left, right = (sum(pieces_of(one, pieces)) for one in (weights, source))
        # Products of pieces that are too small to matter are left out.
        np.testing.assert_allclose(
            found[:, :width], left.astype(np.float64) @ right, rtol=1e-5, atol=TOLERANCES[pieces]
        )
        assert (found[:, width:] == 7).all()


@NEEDS_AMX
def test_what_is_not_finite_stays_so_in_its_place() -> None:
    source, target = normal(64, 32), empty(64 * 32)
    source[5, 3], source[6, 4] = np.nan, np.inf
    product_of(32, 32)(left_matrices(normal(64, 64), 3), source.reshape(-1), target)
    bad = ~np.isfinite(target.reshape(64, 32))
    assert bad[:, 3:5].all()
    assert bad.sum() == 128
