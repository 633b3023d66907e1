"""Convolutions with AMX are those of the rounded factors, at every edge; of fine ones, nearly those of float32."""

import numpy as np
import pytest

from cellscale.predict.native.body.matrix_convolutions import MatrixNeighbours, MatrixPointwise
from cellscale.predict.native.body.room import Room
from cellscale.predict.native.factors import rounded, widened
from tests.predict.native.mesmer_graph import Layers
from tests.predict.native.processors import NEEDS_AMX

RANDOM = np.random.default_rng(6)
EXACT, FINE = 2e-6, 2e-5
"""Largest differences in units of the largest value: of sums in another order, and of what two of bfloat16 leave."""


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def flat(channels_first: np.ndarray) -> np.ndarray:
    """Return ``(1, channels, rows, columns)`` as kernels take it."""
    return np.ascontiguousarray(channels_first[0].transpose(1, 2, 0)).reshape(-1)


def nearest(values: np.ndarray) -> np.ndarray:
    return widened(rounded(values)).reshape(values.shape)


def expected_of(given: np.ndarray, layers: Layers, name: str, rectifies: bool) -> np.ndarray:
    output = layers.add("Relu", [name], "rectified") if rectifies else name
    shape = (layers.weights["convolved/weights"].shape[0], *given.shape[2:])
    (expected,) = layers.computed(given, {output: shape})
    return flat(expected)


@NEEDS_AMX
@pytest.mark.parametrize("is_fine", [False, True])
@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize(("depth", "columns", "side"), [(64, 128, 8), (192, 64, 16), (2048, 64, 8), (32, 32, 24)])
def test_a_convolution_of_single_pixels(depth: int, columns: int, side: int, rectifies: bool, is_fine: bool) -> None:
    layers, given, beside = Layers(), normal(1, depth, side, side), normal(1, columns, side, side)
    output = layers.convolution("source", "convolved", (columns, depth, 1, 1))
    weights, bias = layers.weights["convolved/weights"], layers.weights["convolved/bias"]
    convolution = MatrixPointwise.of(weights, bias, is_fine=is_fine)
    if not is_fine:
        layers.weights["convolved/weights"] = nearest(weights)
    layers.weights["beside"] = beside
    for adds in (False, True):
        output = layers.add("Add", [output, "beside"], "added") if adds else output
        wanted = layers.add("Relu", [output], f"rectified {adds}") if rectifies else output
        (expected,) = layers.computed(given if is_fine else nearest(given), {wanted: (columns, side, side)})
        found = flat(beside) if adds else np.full(beside.size, np.nan, np.float32)
        convolution.apply(flat(given), found, adds=adds, rectifies=rectifies)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, flat(expected), rtol=0, atol=(FINE if is_fine else EXACT) * scale)


@NEEDS_AMX
@pytest.mark.parametrize("is_fine", [False, True])
@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize(
    ("side", "depth", "columns"),
    [(64, 64, 64), (32, 32, 96), (16, 128, 64), (8, 64, 192), (24, 32, 32)],
)
def test_a_convolution_of_neighbours(side: int, depth: int, columns: int, rectifies: bool, is_fine: bool) -> None:
    layers, given = Layers(), normal(1, depth, side, side)
    output = layers.convolution("source", "convolved", (columns, depth, 3, 3))
    weights, bias = layers.weights["convolved/weights"], layers.weights["convolved/bias"]
    convolution = MatrixNeighbours.of(weights, bias, is_fine=is_fine)
    if not is_fine:
        layers.weights["convolved/weights"] = nearest(weights)
    if rectifies:
        output = layers.add("Relu", [output], "rectified")
    (expected,) = layers.computed(given if is_fine else nearest(given), {output: (columns, side, side)})
    found, room = np.full(columns * side * side, np.nan, np.float32), Room()
    room.array("planes", 9 * given.size)[:] = np.nan  # memory that is not new
    convolution.apply(flat(given), side, found, room, rectifies=rectifies)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, flat(expected), rtol=0, atol=(FINE if is_fine else EXACT) * scale)


@NEEDS_AMX
def test_nan_is_not_rectified_away() -> None:
    given = normal(1, 64, 8, 8)
    given[0, 3, 5, 5] = np.nan
    found = np.empty(given.size, np.float32)
    MatrixPointwise.of(normal(64, 64, 1, 1), normal(64)).apply(flat(given), found, rectifies=True)
    assert np.isnan(found.reshape(8, 8, 64)).sum() == np.isnan(found.reshape(8, 8, 64)[5, 5]).sum() == 64
    neighbours = MatrixNeighbours.of(normal(64, 64, 3, 3), normal(64))
    neighbours.apply(flat(given), 8, found, Room(), rectifies=True)
    assert np.isnan(found.reshape(8, 8, 64)[4:7, 4:7]).all()
    assert np.isnan(found).sum() == 9 * 64


def test_maps_that_are_no_whole_number_of_blocks_are_refused() -> None:
    given, target = normal(64 * 36), normal(64 * 36)
    with pytest.raises(ValueError, match="36 pixels; expected a multiple of 64"):
        MatrixNeighbours.of(normal(64, 64, 3, 3), normal(64)).apply(given, 6, target, Room())
    with pytest.raises(ValueError, match="36 pixels; expected a multiple of 64"):
        MatrixPointwise.of(normal(64, 64, 1, 1), normal(64)).apply(given, target)
