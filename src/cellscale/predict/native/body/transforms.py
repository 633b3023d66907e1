"""The two ends of Winograd's convolutions: evaluation of a tile at points and interpolation, one way at a time.

Each function takes rows of 64 channels ``(n, q, 64)``, combines the ``n`` along the first axis, and writes the result
with its axes changed, ``(q, k, 64)``, so that a second call combines along the other axis and puts them back.
"""

from typing import Final

import numpy as np

from cellscale.compiled import fused_kernel
from cellscale.predict.native.factors import Floats

__all__ = ["A", "B", "evaluate_2", "evaluate_4", "interpolate_2", "interpolate_4"]

A: Final = 2 / 3
B: Final = 3 / 2
"""Points of F(4, 3) are 0, A, -A, B, -B and infinity. As A times B is 1, one coefficient is 1 as well; of the points
that were tried, these round least, less than half of the usual 1 and 2."""

_A1, _A2, _A3 = np.float32(A), np.float32(A**2), np.float32(A**3)
_B1, _B2, _B3 = np.float32(B), np.float32(B**2), np.float32(B**3)
_SUM = np.float32(A**2 + B**2)


@fused_kernel
def evaluate_4(source: Floats, target: Floats) -> None:
    """Evaluate six values at the points of F(4, 3): ``(6, 6, 64)`` to ``(6, 6, 64)``, flat."""
    for q in range(6):
        s = source[q * 64 : q * 64 + 1984]
        t = target[q * 384 : (q + 1) * 384]
        for j in range(64):
            d0, d1, d2 = s[j], s[384 + j], s[768 + j]
            d3, d4, d5 = s[1152 + j], s[1536 + j], s[1920 + j]
            even, odd = d4 - _B2 * d2, _A1 * d3 - _B1 * d1
            t[64 + j] = even + odd
            t[128 + j] = even - odd
            even, odd = d4 - _A2 * d2, _B1 * d3 - _A1 * d1
            t[192 + j] = even + odd
            t[256 + j] = even - odd
            t[j] = d0 - _SUM * d2 + d4
            t[320 + j] = d1 - _SUM * d3 + d5


@fused_kernel
def interpolate_4(source: Floats, target: Floats, others: int) -> None:
    """Make four values of those at the points of F(4, 3): ``(6, others, 64)`` to ``(others, 4, 64)``, flat."""
    row = others * 64
    for q in range(others):
        s0 = source[q * 64 : q * 64 + 64]
        s1 = source[row + q * 64 : row + q * 64 + 64]
        s2 = source[2 * row + q * 64 : 2 * row + q * 64 + 64]
        s3 = source[3 * row + q * 64 : 3 * row + q * 64 + 64]
        s4 = source[4 * row + q * 64 : 4 * row + q * 64 + 64]
        s5 = source[5 * row + q * 64 : 5 * row + q * 64 + 64]
        t = target[q * 256 : (q + 1) * 256]
        for j in range(64):
            near, apart = s1[j] + s2[j], s1[j] - s2[j]
            far, spread = s3[j] + s4[j], s3[j] - s4[j]
            t[j] = s0[j] + near + far
            t[64 + j] = _A1 * apart + _B1 * spread
            t[128 + j] = _A2 * near + _B2 * far
            t[192 + j] = _A3 * apart + _B3 * spread + s5[j]


@fused_kernel
def evaluate_2(source: Floats, target: Floats) -> None:
    """Evaluate four values at 0, 1, -1 and infinity, F(2, 3)'s points: ``(4, 4, 64)`` to ``(4, 4, 64)``, flat."""
    for q in range(4):
        s = source[q * 64 : q * 64 + 832]
        t = target[q * 256 : (q + 1) * 256]
        for j in range(64):
            d0, d1, d2, d3 = s[j], s[256 + j], s[512 + j], s[768 + j]
            t[j] = d2 - d0
            t[64 + j] = d2 + d1
            t[128 + j] = d2 - d1
            t[192 + j] = d3 - d1


@fused_kernel
def interpolate_2(source: Floats, target: Floats, others: int) -> None:
    """Make two values of those at the points of F(2, 3): ``(4, others, 64)`` to ``(others, 2, 64)``, flat."""
    row = others * 64
    for q in range(others):
        s0 = source[q * 64 : q * 64 + 64]
        s1 = source[row + q * 64 : row + q * 64 + 64]
        s2 = source[2 * row + q * 64 : 2 * row + q * 64 + 64]
        s3 = source[3 * row + q * 64 : 3 * row + q * 64 + 64]
        t = target[q * 128 : (q + 1) * 128]
        for j in range(64):
            t[j] = s0[j] + s1[j] + s2[j]
            t[64 + j] = s1[j] - s2[j] + s3[j]
