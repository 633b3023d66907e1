"""Convolutions with AMX are those of the rounded factors, at every edge; with three pieces, those of float32."""

import numpy as np
import pytest

from cellscale.predict.native.body.matrix_convolutions import MatrixNeighbours, MatrixPointwise
from cellscale.predict.native.factors import rounded, widened
from cellscale.predict.native.memory import Room
from tests.predict.native.mesmer_graph import Layers
from tests.predict.native.processors import NEEDS_AMX

RANDOM = np.random.default_rng(6)
TOLERANCES = {1: 2e-6, 2: 2e-5, 3: 2e-6}
"""Largest differences in units of the largest value, by the pieces of a factor: of sums in another order, and of what
two leave."""


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
@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize(("depth", "columns", "side"), [(64, 128, 8), (192, 64, 16), (2048, 64, 8), (32, 32, 24)])
def test_a_convolution_of_single_pixels(depth: int, columns: int, side: int, rectifies: bool, pieces: int) -> None:
    layers, given, beside = Layers(), normal(1, depth, side, side), normal(1, columns, side, side)
    output = layers.convolution("source", "convolved", (columns, depth, 1, 1))
    weights, bias = layers.weights["convolved/weights"], layers.weights["convolved/bias"]
    convolution = MatrixPointwise.of(weights, bias, pieces)
    if pieces == 1:
        layers.weights["convolved/weights"] = nearest(weights)
    layers.weights["beside"] = beside
    for adds in (False, True):
        output = layers.add("Add", [output, "beside"], "added") if adds else output
        wanted = layers.add("Relu", [output], f"rectified {adds}") if rectifies else output
        (expected,) = layers.computed(nearest(given) if pieces == 1 else given, {wanted: (columns, side, side)})
        found = flat(beside) if adds else np.full(beside.size, np.nan, np.float32)
        convolution.apply(flat(given), found, adds=adds, rectifies=rectifies)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, flat(expected), rtol=0, atol=TOLERANCES[pieces] * scale)


@NEEDS_AMX
@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize(
    ("side", "depth", "columns"),
    [(64, 64, 64), (32, 32, 96), (16, 128, 64), (8, 64, 192), (24, 32, 32)],
)
def test_a_convolution_of_neighbours(side: int, depth: int, columns: int, rectifies: bool, pieces: int) -> None:
    layers, given = Layers(), normal(1, depth, side, side)
    output = layers.convolution("source", "convolved", (columns, depth, 3, 3))
    weights, bias = layers.weights["convolved/weights"], layers.weights["convolved/bias"]
    convolution = MatrixNeighbours.of(weights, bias, pieces)
    if pieces == 1:
        layers.weights["convolved/weights"] = nearest(weights)
    if rectifies:
        output = layers.add("Relu", [output], "rectified")
    (expected,) = layers.computed(nearest(given) if pieces == 1 else given, {output: (columns, side, side)})
    found, room = np.full(columns * side * side, np.nan, np.float32), Room()
    room.array("planes", 9 * given.size)[:] = np.nan  # memory that is not new
    convolution.apply(flat(given), side, found, room, rectifies=rectifies)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, flat(expected), rtol=0, atol=TOLERANCES[pieces] * scale)


@NEEDS_AMX
@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize(("side", "tiles"), [(8, 2), (8, 3), (8, 4), (16, 4), (24, 8)])
def test_several_maps_are_convolved_as_each_alone(side: int, tiles: int, pieces: int) -> None:
    convolution = MatrixNeighbours.of(normal(96, 64, 3, 3), normal(96), pieces)
    maps, together = normal(side * side, tiles, 64), np.empty((side * side, tiles, 96), np.float32)
    convolution.apply(maps.reshape(-1), side, together.reshape(-1), Room(), tiles=tiles)
    for tile in range(tiles):
        alone = np.empty(side * side * 96, np.float32)
        convolution.apply(np.ascontiguousarray(maps[:, tile]).reshape(-1), side, alone, Room())
        np.testing.assert_array_equal(together[:, tile].reshape(-1), alone)


@NEEDS_AMX
def test_a_map_that_is_larger_than_the_cache_is_convolved_in_parts() -> None:
    weights, given, bias = normal(64, 64, 1, 1), normal(1, 64, 96, 96), normal(64)
    layers = Layers()
    layers.convolution("source", "convolved", weights.shape)
    layers.weights |= {"convolved/weights": weights, "convolved/bias": bias}
    found = np.full(given.size, np.nan, np.float32)
    MatrixPointwise.of(weights, bias, 3).apply(flat(given), found)
    (expected,) = layers.computed(given, {"convolved": (64, 96, 96)})
    np.testing.assert_allclose(found, flat(expected), rtol=0, atol=TOLERANCES[3] * np.abs(expected).max())


@NEEDS_AMX
def test_nan_is_not_rectified_away() -> None:
    given = normal(1, 64, 8, 8)
    given[0, 3, 5, 5] = np.nan
    found = np.empty(given.size, np.float32)
    MatrixPointwise.of(normal(64, 64, 1, 1), normal(64), 3).apply(flat(given), found, rectifies=True)
    assert np.isnan(found.reshape(8, 8, 64)).sum() == np.isnan(found.reshape(8, 8, 64)[5, 5]).sum() == 64
    neighbours = MatrixNeighbours.of(normal(64, 64, 3, 3), normal(64), 3)
    neighbours.apply(flat(given), 8, found, Room(), rectifies=True)
    assert np.isnan(found.reshape(8, 8, 64)[4:7, 4:7]).all()
    assert np.isnan(found).sum() == 9 * 64


def test_maps_that_are_no_whole_number_of_blocks_are_refused() -> None:
    given, target = normal(64 * 36), normal(64 * 36)
    with pytest.raises(ValueError, match="36 pixels; expected a multiple of 64"):
        MatrixNeighbours.of(normal(64, 64, 3, 3), normal(64), 3).apply(given, 6, target, Room())
    with pytest.raises(ValueError, match="36 pixels; expected a multiple of 64"):
        MatrixPointwise.of(normal(64, 64, 1, 1), normal(64), 3).apply(given, target)
