"""3 x 3 convolutions with fewer multiplications: Winograd's minimal filtering.

``m`` x ``m`` values of the result are made from ``(m + 2)`` x ``(m + 2)`` of the input. Those, and the weights, are
polynomials that are evaluated at ``m + 2`` points each way; multiplied point by point, which mixes channels and is a
product of matrices; and interpolated. ``docs/native-engine.md`` has the algebra and the choice of points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel
from cellscale.predict.native.body.evaluation import weights_at_points
from cellscale.predict.native.body.pointwise import PANEL, multiply
from cellscale.predict.native.body.row_steps import copy_row, finish_row
from cellscale.predict.native.body.transforms import A, B, evaluate_2, evaluate_4, interpolate_2, interpolate_4
from cellscale.predict.native.factors import Factors, Floats, paired_rows, rows_like
from cellscale.predict.native.memory import Room, aligned

__all__ = ["Winograd"]

_AT_ONCE: Final = 32
"""Tiles that are computed together: their values at all points stay in the caches."""

_POINTS: Final = {2: (0.0, 1.0, -1.0), 4: (0.0, A, -A, B, -B)}
"""Where polynomials are evaluated, beside infinity."""


def _evaluation(size: int) -> NDArray[np.float64]:
    """Return the matrix that evaluates three weights at the points, ``(size + 2, 3)``, scaled for interpolation."""
    points = _POINTS[size]
    rows = [
        [point**power / np.prod([point - other for other in points if other != point]) for power in range(3)]
        for point in points
    ]
    return np.array([*rows, [0, 0, 1]])


@dataclass(frozen=True, slots=True)
class Winograd:
    """A 3 x 3 convolution that sees zeros beyond the edge."""

    depth: int
    """Input channels."""
    columns: int
    """Output channels."""
    size: int
    """Rows and columns of a tile of the result: 2 or 4. Of 4, multiplications are fewer and weights larger."""
    weights: Factors
    """For each of the points, as `cellscale.predict.native.body.pointwise.panels` lays them out."""
    bias: Floats

    @classmethod
    def of(
        cls, weights: NDArray[np.floating], bias: NDArray[np.floating], size: int, *, in_pairs: bool = False
    ) -> Self:
        """Return the convolution with weights ``(columns, depth, 3, 3)`` and a bias ``(columns,)``."""
        columns, depth = weights.shape[:2]
        points = weights_at_points(weights, _evaluation(size))
        factors = aligned(paired_rows(points)) if in_pairs else aligned(points)
        return cls(depth, columns, size, factors, bias.astype(np.float32))

    def apply(
        self, source: Floats, side: int, target: Floats, room: Room, *, tiles: int = 1, rectifies: bool = False
    ) -> None:
        """Write the convolution of maps.

        Parameters
        ----------
        source
            ``(side, side, tiles, depth)`` flat.
        side
            Rows and columns of both.
        target
            ``(side, side, tiles, columns)`` flat.
        room
            For what is computed in between.
        tiles
            Maps that lie pixel by pixel beside each other, so that weights are read once for all of them.
        rectifies
            Whether a ReLU follows.
        """
        kernel = _convolve_4 if self.size == 4 else _convolve_2
        points = (self.size + 2) ** 2
        most = min(_AT_ONCE, (side // self.size) ** 2 * tiles)
        given = room.array("given", points * most * self.depth)
        made = room.array("made", points * most * self.columns)
        kernel(source, side, tiles, self.weights, self.bias, target, given, made, most, rectifies)


_Convolver: TypeAlias = Callable[[Floats, int, int, Factors, Floats, Floats, Floats, Floats, int, bool], None]


@fused_kernel
def _take_tile(
    source: Floats, side: int, depth: int, top: int, left: int, channel: int, tile: Floats, n: int
) -> None:
    """Copy `PANEL` channels of ``n`` x ``n`` pixels, with zeros beyond the edge."""
    for row in range(n):
        for column in range(n):
            place = (row * n + column) * PANEL
            y, x = top + row, left + column
            if 0 <= y < side and 0 <= x < side:
                copy_row(source, (y * side + x) * depth + channel, tile, place, PANEL)
            else:
                t = tile[place : place + PANEL]
                for j in range(PANEL):
                    t[j] = np.float32(0)


@fused_kernel
def _put_tile(
    tile: Floats, bias: Floats, channel: int, target: Floats, side: int, depth: int, at: int, m: int, rectifies: bool
) -> None:
    """Write `PANEL` channels, from ``channel`` on, of ``m`` x ``m`` pixels from the target's value ``at`` on."""
    for row in range(m):
        for column in range(m):
            place, s = at + (row * side + column) * depth, (row * m + column) * PANEL
            if rectifies:
                finish_row(tile, s, bias, channel, target, place, PANEL, False, True)
            else:
                finish_row(tile, s, bias, channel, target, place, PANEL, False, False)


def _convolver_of(size: int) -> _Convolver:
    """Return the kernel for tiles of one size."""
    n = size + 2
    points = n * n

    @fused_kernel
    def convolved(
        source: Floats,
        side: int,
        tiles: int,
        weights: Factors,
        bias: Floats,
        target: Floats,
        given: Floats,
        made: Floats,
        most: int,
        rectifies: bool,
    ) -> None:
        across = side // size
        total = across * across * tiles
        depth, columns = given.size // (points * most), bias.size
        tile = np.empty(points * PANEL, np.float32)
        half = np.empty(points * PANEL, np.float32)
        for first in range(0, total, most):
            count = min(most, total - first)
            for number in range(count):
                place, map_at = (first + number) // tiles, (first + number) % tiles * depth
                top = place // across * size - 1
                left = place % across * size - 1
                for channel in range(0, depth, PANEL):
                    _take_tile(source, side, tiles * depth, top, left, map_at + channel, tile, n)
                    if size == 4:
                        evaluate_4(tile, half)
                        evaluate_4(half, tile)
                    else:
                        evaluate_2(tile, half)
                        evaluate_2(half, tile)
                    for point in range(points):
                        copy_row(tile, point * PANEL, given, (point * most + number) * depth + channel, PANEL)
            factors = rows_like(weights, given)
            d = factors.size // (points * most)
            for point in range(points):
                multiply(
                    factors[point * most * d : (point * most + count) * d],
                    d,
                    weights[point * d * columns : (point + 1) * d * columns],
                    made[point * most * columns : (point * most + count) * columns],
                    columns,
                )
            for number in range(count):
                place, map_at = (first + number) // tiles, (first + number) % tiles * columns
                top = place // across * size
                left = place % across * size
                for channel in range(0, columns, PANEL):
                    for point in range(points):
                        copy_row(made, (point * most + number) * columns + channel, tile, point * PANEL, PANEL)
                    if size == 4:
                        interpolate_4(tile, half, 6)
                        interpolate_4(half, tile, 4)
                    else:
                        interpolate_2(tile, half, 4)
                        interpolate_2(half, tile, 2)
                    at = (top * side + left) * tiles * columns + map_at + channel
                    _put_tile(tile, bias, channel, target, side, tiles * columns, at, size, rectifies)

    return convolved


_convolve_2 = _convolver_of(2)
_convolve_4 = _convolver_of(4)
