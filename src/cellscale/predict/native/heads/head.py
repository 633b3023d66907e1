"""One of Mesmer's four heads, from the body's features to its map, without an array of the tile's size but the map.

In the network a head doubles its 64 channels of 32 x 32 three times to 256 x 256, with a 3 x 3 convolution after the
first two times, and two 1 x 1 convolutions with a ReLU between them at the end. Nothing before that ReLU is more than
linear, so each convolution's products are taken before the doubling that precedes it: see `doubling`.
"""

import numpy as np

from cellscale.compiled import fused_kernel
from cellscale.predict.native.factors import Factors, Floats
from cellscale.predict.native.heads.doubling import MARGIN, TAPS, doubler_of
from cellscale.predict.native.heads.finishing import FEATURES, HALF, STRIDE, write_rows
from cellscale.predict.native.heads.products import add_to_rows, product_of
from cellscale.predict.native.memory import empty

__all__ = ["FEATURES_SHAPE", "compute_head"]

FEATURES_SHAPE = (64, 32, 32)
"""Channels, rows and columns of what the body gives to each head."""

_TAP_ROWS = TAPS * 64
_taps_of_32 = product_of(32, 32)
_taps_of_64 = product_of(64, 64)
_features_of_128 = product_of(128, STRIDE)
_double_32 = doubler_of(32)
_double_64 = doubler_of(64)


@fused_kernel
def compute_head(
    features: Floats,
    first: Factors,
    first_bias: Floats,
    second: Factors,
    third: Factors,
    third_bias: Floats,
    last: Floats,
    last_bias: Floats,
    is_class: bool,
    maps: Floats,
    index: int,
) -> None:
    """Compute one map of a tile; arrays are float32, weights as `native.heads.head_weights` lays them out.

    Parameters
    ----------
    features
        The body's, row by row: ``(32, 64, 32)`` flat.
    first, first_bias, second
        Weights of the 3 x 3 convolutions, ``(9, 64, 64)`` flat, and the first one's bias ``(64,)``.
    third, third_bias
        Weights ``(128, 64)`` flat and bias ``(128,)`` of the 1 x 1 convolution before the ReLU; the second
        convolution's bias is part of it.
    last, last_bias, is_class
        See `cellscale.predict.native.heads.finishing.write_rows`.
    maps
        The tile's, ``(256, 256, n)``.
    index
        Which map to write.
    """
    middle = _first_half(features, first, first_bias)
    _second_half(middle, second, third, third_bias, last, last_bias, is_class, maps, index)


@fused_kernel
def _first_half(features: Floats, weights: Factors, bias: Floats) -> Floats:
    """Return the head after its first 3 x 3 convolution, row by row: ``(64, 64, 64)`` flat."""
    size = _TAP_ROWS * 32
    taps = empty(3 * size)
    room = np.zeros(6 * (32 + 2 * MARGIN), np.float32)
    pair = empty(2 * 64 * 64)
    middle = empty(64 * 64 * 64)
    _taps_of_32(weights, features[: 64 * 32], taps[:size])
    for row in range(32):
        if row < 31:
            place = (row + 1) % 3 * size
            source = features[(row + 1) * 64 * 32 : (row + 2) * 64 * 32]
            _taps_of_32(weights, source, taps[place : place + size])
        _double_32(taps, row, bias, pair, room)
        target = middle[2 * row * 64 * 64 : 2 * (row + 1) * 64 * 64]
        for line in range(2 * 64):
            for j in range(32):
                target[line * 64 + 2 * j + 1] = pair[line * 64 + j]
                target[line * 64 + 2 * j] = pair[line * 64 + 32 + j]
    return middle


@fused_kernel
def _second_half(
    middle: Floats,
    second: Factors,
    third: Factors,
    third_bias: Floats,
    last: Floats,
    last_bias: Floats,
    is_class: bool,
    maps: Floats,
    index: int,
) -> None:
    """Compute a map from what `_first_half` returns; other arguments as for `compute_head`."""
    nothing = np.zeros(64, np.float32)
    size = _TAP_ROWS * 64
    taps = empty(3 * size)
    room = np.zeros(6 * (64 + 2 * MARGIN), np.float32)
    pair = empty(2 * 64 * 128)
    rows = empty(3 * FEATURES * STRIDE)
    rows[:] = 0
    _taps_of_64(second, middle[: 64 * 64], taps[:size])
    for row in range(64):
        if row < 63:
            place = (row + 1) % 3 * size
            source = middle[(row + 1) * 64 * 64 : (row + 2) * 64 * 64]
            _taps_of_64(second, source, taps[place : place + size])
        _double_64(taps, row, nothing, pair, room)
        for half in range(2):
            line = 2 * row + half
            target = rows[line % 3 * FEATURES * STRIDE : (line % 3 + 1) * FEATURES * STRIDE]
            # From the 17th value on, so that a copy of an edge fits before.
            source = pair[half * 64 * 128 : (half + 1) * 64 * 128]
            _features_of_128(third, source, target[MARGIN:])
            add_to_rows(third_bias, target[MARGIN:], STRIDE, 2 * HALF)
            for channel in range(FEATURES):
                begin = channel * STRIDE + MARGIN
                target[begin - 1] = target[begin + HALF]
                target[begin + 2 * HALF] = target[begin + HALF - 1]
            if line > 0:
                write_rows(rows, line - 1, last, last_bias, is_class, maps, index)
    write_rows(rows, 127, last, last_bias, is_class, maps, index)
