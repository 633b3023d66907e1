"""Every layer of heads equals what ONNX Runtime computes of the same weights, edges included."""

import numpy as np
import pytest

from cellscale.predict.native.heads.doubling import doubler_of
from cellscale.predict.native.heads.finishing import STRIDE, write_rows
from cellscale.predict.native.heads.products import add_to_rows, product_of
from tests.predict.native.mesmer_graph import Layers

RANDOM = np.random.default_rng(1)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(("width", "stride", "rows"), [(32, 32, 576), (64, 64, 576), (128, STRIDE, 128), (16, 20, 4)])
def test_a_product_is_that_of_matrices_and_leaves_the_rest_alone(width: int, stride: int, rows: int) -> None:
    weights, begin, source = normal(rows, 64), normal(rows), normal(64, width)
    target = np.full((rows, stride), 7, np.float32)
    product_of(width, stride)(weights.reshape(-1), source.reshape(-1), target.reshape(-1))
    add_to_rows(begin, target.reshape(-1), stride, width)
    expected = begin[:, None] + weights.astype(np.float64) @ source
    np.testing.assert_allclose(target[:, :width], expected, rtol=1e-5, atol=5e-5)
    assert (target[:, width:] == 7).all()


@pytest.mark.parametrize("side", [32, 64])
def test_taps_of_the_small_map_make_the_convolution_of_the_doubled_one(side: int) -> None:
    layers, given = Layers(), normal(1, 64, side, side)
    layers.convolution(layers.doubled("source"), "convolved", (64, 64, 3, 3))
    (expected,) = layers.computed(given, {"convolved": (64, 2 * side, 2 * side)})
    weights = np.ascontiguousarray(layers.weights["convolved/weights"].transpose(2, 3, 0, 1)).reshape(-1)
    product, doubled = product_of(side, side), doubler_of(side)
    taps = np.empty((3, 576 * side), np.float32)
    pair, room = np.empty((2, 64, 2, side), np.float32), np.empty(6 * (side + 32), np.float32)
    found = np.empty((64, 2 * side, 2 * side), np.float32)
    for row in range(side):
        for near in (row - 1, row, row + 1):
            if 0 <= near < side:
                source = np.ascontiguousarray(given[0, :, near]).reshape(-1)
                product(weights, source, taps[near % 3])
        doubled(taps.reshape(-1), row, layers.weights["convolved/bias"], pair.reshape(-1), room)
        found[:, 2 * row : 2 * row + 2, 1::2] = pair[:, :, 0].transpose(1, 0, 2)
        found[:, 2 * row : 2 * row + 2, 0::2] = pair[:, :, 1].transpose(1, 0, 2)
    np.testing.assert_allclose(found, expected[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("is_class", [False, True])
def test_the_end_of_a_head_is_the_last_doubling_convolution_and_activation(is_class: bool) -> None:
    layers, given = Layers(), 3 * normal(1, 128, 128, 128)
    rectified = layers.add("Relu", [layers.doubled("source")], "rectified")
    last = layers.convolution(rectified, "last", (3 if is_class else 1, 128, 1, 1))
    if is_class:
        layers.add("Softmax", [last], "active", axis=1)
    else:
        layers.add("Relu", [last], "active")
    (expected,) = layers.computed(given, {"active": (3 if is_class else 1, 256, 256)})
    weights, bias = layers.weights["last/weights"][:, :, 0, 0], layers.weights["last/bias"]
    if is_class:
        weights, bias = weights[[0, 2]] - weights[1], bias[[0, 2]] - bias[1]
    else:
        weights, bias = np.concatenate((weights, 0 * weights)), np.concatenate((bias, 0 * bias))
    rows = np.zeros((3, 128, STRIDE), np.float32)
    maps = np.zeros((256, 256, 3), np.float32)
    for row in range(128):
        for near in {max(row - 1, 0), row, min(row + 1, 127)}:
            line, target = given[0, :, near], rows[near % 3]
            target[:, 15], target[:, 16:80], target[:, 80:144], target[:, 144] = (
                line[:, 0], line[:, 1::2], line[:, 0::2], line[:, -1],
            )  # fmt: skip
        write_rows(rows.reshape(-1), row, weights.reshape(-1), bias, is_class, maps, 2)
    np.testing.assert_allclose(maps[..., 2], expected[0, int(is_class)], rtol=0, atol=1e-5)
    assert (maps[..., :2] == 0).all()


@pytest.mark.parametrize("excess", [-1e4, -100.0, 0.0, 100.0, 1e4, np.nan])
def test_probabilities_stay_in_their_range_and_nan_is_not_hidden(excess: float) -> None:
    rows, maps = np.zeros((3, 128, STRIDE), np.float32), np.empty((256, 256, 1), np.float32)
    bias = np.array([excess, -1e4], np.float32)
    write_rows(rows.reshape(-1), 5, np.zeros(256, np.float32), bias, True, maps, 0)
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(np.float64(excess)))
    np.testing.assert_allclose(maps[10:12, :, 0], np.float32(expected), rtol=1e-6, atol=1e-30)
    write_rows(rows.reshape(-1), 5, np.zeros(256, np.float32), bias, False, maps, 0)
    np.testing.assert_array_equal(maps[10:12, :, 0], np.float32(excess) if not excess < 0 else 0)
