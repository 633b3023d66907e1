"""The end of a head: doubling to the tile's 256 x 256, ReLU, the last 1 x 1 convolution and activation, row by row.

The 128 channels before the last convolution are never kept at 256 x 256: that array would be 33 MB.
"""

import numpy as np

from cellscale.compiled import fused_kernel
from cellscale.predict.native.factors import Floats
from cellscale.predict.native.heads.doubling import MARGIN

__all__ = ["FEATURES", "HALF", "STRIDE", "write_rows"]

FEATURES = 128
"""Channels before the last convolution."""

HALF = 64
"""Odd, and even, columns of a map of 128."""

STRIDE = 2 * (HALF + MARGIN)
"""Values from one channel of a row to the next: 15 of no meaning, a copy of the first even column, the odd columns,
the even columns, a copy of the last odd column, and 15 of no meaning. The copies stand for what lies beyond edges."""


@fused_kernel
def write_rows(
    rows: Floats, row: int, weights: Floats, bias: Floats, is_class: bool, maps: Floats, index: int
) -> None:
    """Write two rows of one map.

    Parameters
    ----------
    rows
        Three rows of the map of 128 x 128 before the last doubling in turn, flat ``(3, 128, STRIDE)``.
    row
        The row in the middle, ``n``; rows ``2 n`` and ``2 n + 1`` are written.
    weights
        Of the last convolution, ``(2, 128)`` flat.
    bias
        Its bias, ``(2,)``.
    is_class
        Whether the map is a class's probability rather than a distance. It is ``1 / (1 + exp(a) + exp(b))`` then,
        with what the other two classes have more than it; else it is ``max(a, 0)``.
    maps
        The tile's maps, ``(256, 256, n)``.
    index
        Which of them.
    """
    size = FEATURES * STRIDE
    here = (row % 3) * size
    sums = np.empty(8 * HALF, np.float32)
    for half in range(2):
        # An odd row of the doubled map lies nearer to the row below, an even one to the row above.
        other = max(row - 1, 0) if half == 0 else min(row + 1, 127)
        near = rows[here : here + size]
        far = rows[(other % 3) * size : (other % 3 + 1) * size]
        _sum_features(near, far, weights, bias, sums)
        line = maps[2 * row + half]
        for quarter in range(4):
            a = sums[quarter * HALF : (quarter + 1) * HALF]
            if is_class:
                b = sums[(quarter + 4) * HALF : (quarter + 5) * HALF]
                for j in range(HALF):
                    a[j] = 1 / (1 + _exponential(a[j]) + _exponential(b[j]))
            else:
                for j in range(HALF):
                    a[j] = _rectified(a[j])
            for j in range(HALF):
                line[4 * j + quarter, index] = a[j]


@fused_kernel
def _sum_features(near: Floats, far: Floats, weights: Floats, bias: Floats, sums: Floats) -> None:
    """Double one row's columns, rectify, and add up the channels with both weights.

    Parameters
    ----------
    near, far
        The rows that make three quarters and one quarter of the row, ``(128, STRIDE)`` flat.
    weights, bias
        See `write_rows`.
    sums
        Written to: ``(2, 4, 64)`` flat, for each weight the columns 0, 4, 8, ..., then 1, 5, 9, ... and so on.
    """
    # Sixteen times the values, as weights take a sixteenth of them: a quarter need not be taken, twice, of each.
    three, part = np.float32(3), np.float32(1 / 16)
    for place in range(8 * HALF):
        sums[place] = bias[place // (4 * HALF)]
    for channel in range(0, FEATURES, 2):
        v0, v1 = part * weights[channel], part * weights[channel + 1]
        w0, w1 = part * weights[FEATURES + channel], part * weights[FEATURES + channel + 1]
        n = near[channel * STRIDE : (channel + 2) * STRIDE]
        f = far[channel * STRIDE : (channel + 2) * STRIDE]
        for j in range(HALF):
            before = three * n[15 + j] + f[15 + j]
            odd = three * n[16 + j] + f[16 + j]
            even = three * n[80 + j] + f[80 + j]
            after = three * n[81 + j] + f[81 + j]
            p0 = _rectified(before + three * even)
            p1 = _rectified(three * even + odd)
            p2 = _rectified(even + three * odd)
            p3 = _rectified(three * odd + after)
            before = three * n[STRIDE + 15 + j] + f[STRIDE + 15 + j]
            odd = three * n[STRIDE + 16 + j] + f[STRIDE + 16 + j]
            even = three * n[STRIDE + 80 + j] + f[STRIDE + 80 + j]
            after = three * n[STRIDE + 81 + j] + f[STRIDE + 81 + j]
            q0 = _rectified(before + three * even)
            q1 = _rectified(three * even + odd)
            q2 = _rectified(even + three * odd)
            q3 = _rectified(three * odd + after)
            sums[j] = sums[j] + v0 * p0 + v1 * q0
            sums[64 + j] = sums[64 + j] + v0 * p1 + v1 * q1
            sums[128 + j] = sums[128 + j] + v0 * p2 + v1 * q2
            sums[192 + j] = sums[192 + j] + v0 * p3 + v1 * q3
            sums[256 + j] = sums[256 + j] + w0 * p0 + w1 * q0
            sums[320 + j] = sums[320 + j] + w0 * p1 + w1 * q1
            sums[384 + j] = sums[384 + j] + w0 * p2 + w1 * q2
            sums[448 + j] = sums[448 + j] + w0 * p3 + w1 * q3


@fused_kernel
def _rectified(value: np.float32) -> np.float32:
    """Return a value, or 0 for a negative one; NaN stays NaN, as it has to be noticed."""
    return np.float32(0) if value < np.float32(0) else value


@fused_kernel
def _exponential(value: np.float32) -> np.float64:
    """Return e to the power of a value, right to float32's last bit: the 1024th power of a short series.

    Unlike the C library's it is computed for whole vectors of values.
    """
    near = np.float32(-87) if value < np.float32(-87) else value
    small = np.float64(np.float32(87) if near > np.float32(87) else near) * (1 / 1024)
    power = 1 + small * (1 + small * (1 / 2 + small * (1 / 6 + small * (1 / 24 + small * (1 / 120 + small / 720)))))
    for _ in range(10):
        power *= power
    return power
