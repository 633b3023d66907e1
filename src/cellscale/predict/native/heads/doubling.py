"""A 3 x 3 convolution of a map that was doubled, from products that were taken before the doubling.

Doubling (bilinear, half-pixel) and convolving are linear, so a convolution is the sum of what its nine taps see, and
a tap's 1 x 1 product may as well be taken on the small map, which has a quarter of the pixels. Here the nine products
are doubled, moved by their taps and added up.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from cellscale.compiled import fused_kernel
from cellscale.predict.native.factors import Floats

__all__ = ["MARGIN", "TAPS", "Doubler", "doubler_of"]

TAPS = 9
"""Taps of a 3 x 3 convolution, row by row."""

MARGIN = 16
"""Values before and after a row that is looked at beyond its ends."""

Doubler: TypeAlias = Callable[[Floats, int, Floats, Floats, Floats], None]
"""Is given the taps' products of three rows in turn ``(3, 9, 64, side)``, the row in the middle, a bias ``(64,)``, an
output ``(2, 64, 2, side)`` and room for its own ``(6, side + 32)``; all flat but the row. The output is two rows of
the doubled map after the convolution, of each its odd columns (1, 3, ...) and then its even ones."""


def doubler_of(side: int) -> Doubler:
    """Return a kernel for small maps of ``side`` rows and columns.

    Row ``r`` of the small map makes rows ``2 r`` and ``2 r + 1``. Doubled, row ``2 r`` is 3/4 of row ``r`` and 1/4 of
    the one above, row ``2 r + 1`` is 3/4 of row ``r`` and 1/4 of the one below; the first and the last row stand for
    what lies beyond the edge. The convolution sees zeros beyond the edge. Columns likewise.
    """
    plane = 64 * side
    ring = TAPS * plane
    padded = side + 2 * MARGIN

    @fused_kernel
    def doubled(products: Floats, row: int, bias: Floats, target: Floats, room: Floats) -> None:
        one, three = np.float32(0.25), np.float32(0.75)
        above = (max(row - 1, 0) % 3) * ring
        middle = (row % 3) * ring
        below = (min(row + 1, side - 1) % 3) * ring
        upper = products[above : above + ring]
        here = products[middle : middle + ring]
        lower = products[below : below + ring]
        # The upper taps of the first row and the lower taps of the last one see zeros.
        one_up = one if row > 0 else np.float32(0)
        three_up = three if row > 0 else np.float32(0)
        one_down = one if row < side - 1 else np.float32(0)
        three_down = three if row < side - 1 else np.float32(0)
        for channel in range(64):
            for tap in range(3):
                up = (tap * 64 + channel) * side
                at = up + 3 * plane
                down = up + 6 * plane
                first = room[tap * padded + 16 : tap * padded + 16 + side]
                second = room[(tap + 3) * padded + 16 : (tap + 3) * padded + 16 + side]
                for j in range(side):
                    mid_up, mid_at, mid_down = here[up + j], here[at + j], here[down + j]
                    first[j] = (
                        three_up * upper[up + j]
                        + one_up * mid_up
                        + one * upper[at + j]
                        + three * mid_at
                        + three * mid_down
                        + one * lower[down + j]
                    )
                    second[j] = (
                        one * upper[up + j]
                        + three * mid_up
                        + three * mid_at
                        + one * lower[at + j]
                        + one_down * mid_down
                        + three_down * lower[down + j]
                    )
            b = bias[channel]
            for half in range(2):
                left = half * 3 * padded + 16
                centre = left + padded
                right = centre + padded
                for start in (left, centre, right):
                    room[start - 1] = room[start]
                    room[start + side] = room[start + side - 1]
                t = room[half * 3 * padded : (half + 1) * 3 * padded]
                place = (half * 64 + channel) * 2 * side
                odd = target[place : place + side]
                even = target[place + side : place + 2 * side]
                for j in range(side):
                    l_before, l_at = t[15 + j], t[16 + j]
                    c_before, c_at, c_after = t[padded + 15 + j], t[padded + 16 + j], t[padded + 17 + j]
                    r_at, r_after = t[2 * padded + 16 + j], t[2 * padded + 17 + j]
                    even[j] = (
                        b
                        + three * l_before
                        + one * l_at
                        + one * c_before
                        + three * c_at
                        + three * r_at
                        + one * r_after
                    )
                    odd[j] = (
                        b
                        + one * l_before
                        + three * l_at
                        + three * c_at
                        + one * c_after
                        + one * r_at
                        + three * r_after
                    )
                # The left taps of the first column and the right taps of the last one see zeros.
                even[0] = b + room[centre] + three * room[right] + one * room[right + 1]
                end = side - 1
                odd[end] = b + one * room[left + end - 1] + three * room[left + end] + room[centre + end]

    return doubled
