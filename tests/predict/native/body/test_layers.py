"""Every layer of the body equals what ONNX Runtime computes of the same weights, edges included."""

import numpy as np
import pytest

from cellscale.predict.native.body.features import double, every_second
from cellscale.predict.native.body.pointwise import Pointwise
from cellscale.predict.native.body.winograd import Winograd
from cellscale.predict.native.memory import Room
from tests.predict.native.mesmer_graph import Layers
from tests.predict.native.processors import NEEDS_BF16

RANDOM = np.random.default_rng(2)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def flat(channels_first: np.ndarray) -> np.ndarray:
    """Return ``(1, channels, rows, columns)`` as kernels take it."""
    return np.ascontiguousarray(channels_first[0].transpose(1, 2, 0)).reshape(-1)


@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize(("depth", "columns", "side"), [(64, 128, 8), (192, 64, 16), (2048, 64, 8)])
def test_a_convolution_of_single_pixels(depth: int, columns: int, side: int, rectifies: bool) -> None:
    layers, given, beside = Layers(), normal(1, depth, side, side), normal(1, columns, side, side)
    output = layers.convolution("source", "convolved", (columns, depth, 1, 1))
    layers.weights["beside"] = beside
    for adds in (False, True):
        output = layers.add("Add", [output, "beside"], "added") if adds else output
        wanted = layers.add("Relu", [output], f"rectified {adds}") if rectifies else output
        (expected,) = layers.computed(given, {wanted: (columns, side, side)})
        found = flat(beside) if adds else np.full(beside.size, np.nan, np.float32)
        convolution = Pointwise.of(layers.weights["convolved/weights"], layers.weights["convolved/bias"])
        convolution.apply(flat(given), found, adds=adds, rectifies=rectifies)
        np.testing.assert_allclose(found, flat(expected), rtol=0, atol=2e-5)


@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize(
    ("size", "side", "depth", "columns"),
    [(4, 64, 64, 64), (4, 16, 128, 64), (4, 8, 64, 192), (2, 8, 128, 64), (2, 4, 64, 128)],
)
def test_a_convolution_of_neighbours(size: int, side: int, depth: int, columns: int, rectifies: bool) -> None:
    layers, given = Layers(), normal(1, depth, side, side)
    output = layers.convolution("source", "convolved", (columns, depth, 3, 3))
    if rectifies:
        output = layers.add("Relu", [output], "rectified")
    (expected,) = layers.computed(given, {output: (columns, side, side)})
    convolution = Winograd.of(layers.weights["convolved/weights"], layers.weights["convolved/bias"], size)
    found, room = np.empty(columns * side * side, np.float32), Room()
    for _ in range(2):  # the second time in memory that is not new
        convolution.apply(flat(given), side, found, room, rectifies=rectifies)
        np.testing.assert_allclose(found, flat(expected), rtol=0, atol=4e-5 if size == 4 else 1e-5)


@pytest.mark.parametrize(("size", "side", "tiles"), [(2, 8, 2), (2, 8, 3), (2, 4, 9), (4, 16, 4), (4, 8, 5)])
def test_several_maps_are_convolved_as_each_alone(size: int, side: int, tiles: int) -> None:
    convolution = Winograd.of(normal(128, 64, 3, 3), normal(128), size)
    maps, together = normal(side * side, tiles, 64), np.empty((side * side, tiles, 128), np.float32)
    convolution.apply(maps.reshape(-1), side, together.reshape(-1), Room(), tiles=tiles, rectifies=True)
    for tile in range(tiles):
        alone = np.empty(side * side * 128, np.float32)
        convolution.apply(np.ascontiguousarray(maps[:, tile]).reshape(-1), side, alone, Room(), rectifies=True)
        np.testing.assert_array_equal(together[:, tile].reshape(-1), alone)


@pytest.mark.parametrize("size", [2, 4])
def test_a_convolution_of_whole_numbers_is_right_but_for_the_last_bits(size: int) -> None:
    layers, given = Layers(), RANDOM.integers(-4, 5, (1, 64, 16, 16)).astype(np.float32)
    layers.convolution("source", "convolved", (64, 64, 3, 3))
    weights = RANDOM.integers(-4, 5, (64, 64, 3, 3)).astype(np.float32)
    layers.weights |= {"convolved/weights": weights, "convolved/bias": np.zeros(64, np.float32)}
    (expected,) = layers.computed(given, {"convolved": (64, 16, 16)})
    found = np.empty(64 * 16 * 16, np.float32)
    Winograd.of(weights, np.zeros(64, np.float32), size).apply(flat(given), 16, found, Room())
    np.testing.assert_allclose(
        found, flat(expected), rtol=0, atol=(0 if size == 2 else 3e-6) * float(np.abs(expected).max())
    )


@pytest.mark.parametrize("side", [8, 16])
def test_doubling(side: int) -> None:
    layers, given = Layers(), normal(1, 64, side, side)
    doubled = layers.doubled("source")
    (expected,) = layers.computed(given, {doubled: (64, 2 * side, 2 * side)})
    found = np.empty(4 * given.size, np.float32)
    double(flat(given), side, 64, found)
    np.testing.assert_allclose(found, flat(expected), rtol=0, atol=1e-6)


def test_every_second_pixel() -> None:
    given = normal(1, 64, 16, 16)
    found = np.empty(given.size // 4, np.float32)
    every_second(flat(given), 16, 64, found)
    np.testing.assert_array_equal(found, flat(given[:, :, ::2, ::2]))


@NEEDS_BF16
@pytest.mark.parametrize(("size", "error"), [(1, 0.0025), (2, 0.005), (4, 0.02)])
def test_in_pairs_of_bfloat16_a_convolution_differs_by_what_is_rounded(size: int, error: float) -> None:
    layers, given = Layers(), normal(1, 256, 16, 16)
    shape = (64, 256, 1, 1) if size == 1 else (64, 256, 3, 3)
    layers.convolution("source", "convolved", shape)
    (expected,) = layers.computed(given, {"convolved": (64, 16, 16)})
    weights, bias = layers.weights["convolved/weights"], layers.weights["convolved/bias"]
    found = np.empty(64 * 16 * 16, np.float32)
    if size == 1:
        Pointwise.of(weights, bias, in_pairs=True).apply(flat(given), found)
    else:
        Winograd.of(weights, bias, size, in_pairs=True).apply(flat(given), 16, found, Room())
    assert error / 2 < (found - flat(expected)).std() / expected.std() < error


@pytest.mark.parametrize("in_pairs", [False, pytest.param(True, marks=NEEDS_BF16)])
def test_nan_is_not_rectified_away(in_pairs: bool) -> None:
    given = normal(1, 64, 8, 8)
    given[0, 3, 5, 5] = np.nan
    found = np.empty(given.size, np.float32)
    Pointwise.of(normal(64, 64, 1, 1), normal(64), in_pairs=in_pairs).apply(flat(given), found, rectifies=True)
    assert np.isnan(found.reshape(8, 8, 64)).sum() == np.isnan(found.reshape(8, 8, 64)[5, 5]).sum() == 64
    neighbours = Winograd.of(normal(64, 64, 3, 3), normal(64), 4, in_pairs=in_pairs)
    neighbours.apply(flat(given), 8, found, Room(), rectifies=True)
    assert np.isnan(found.reshape(8, 8, 64)[4:7, 4:7]).all()
