"""Convolutions of maps whose channels lie side by side, with AMX.

A map is rounded into planes of 32 channels, where a pixel is a line of the caches and 16 neighbours are a register.
A 3 x 3 convolution is the sum of nine 1 x 1 convolutions of the moved map. Winograd's would save multiplications, but
here its ends would take longer than all of them, and it rounds more.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel
from cellscale.predict.native.body.room import Room
from cellscale.predict.native.factors import Floats, Matrices, empty, round_16
from cellscale.predict.native.matrices.layout import BLOCK, STEP, WIDTH, right_matrices
from cellscale.predict.native.matrices.registers import SIDE, add_product, clear, configure, load, release, store

__all__ = ["MatrixNeighbours", "MatrixPointwise"]

_AT_ONCE: Final = 64
"""Pixels for which all weights are used before the next ones: their channels stay in the caches."""


def _require_pixels(pixels: int) -> None:
    if pixels % _AT_ONCE:
        raise ValueError(f"a map of {pixels} pixels; expected a multiple of {_AT_ONCE}")


@dataclass(frozen=True, slots=True)
class MatrixPointwise:
    """A 1 x 1 convolution, as `cellscale.predict.native.body.pointwise.Pointwise`; 64 divides the pixels."""

    depth: int
    """Input channels."""
    columns: int
    """Output channels."""
    weights: Matrices
    """As `right_matrices` lays them out."""
    bias: Floats

    @classmethod
    def of(cls, weights: NDArray[np.floating], bias: NDArray[np.floating]) -> Self:
        """Return the convolution with weights ``(columns, depth, 1, 1)`` and a bias ``(columns,)``."""
        columns, depth = weights.shape[:2]
        return cls(depth, columns, right_matrices(weights[:, :, 0, 0].T), bias.astype(np.float32))

    def apply(self, source: Floats, target: Floats, *, adds: bool = False, rectifies: bool = False) -> None:
        """Write the convolution of a map; see `cellscale.predict.native.body.pointwise.Pointwise.apply`."""
        _require_pixels(source.size // self.depth)
        _convolve_pixels(source, self.depth, self.weights, self.bias, target, adds, rectifies)


@dataclass(frozen=True, slots=True)
class MatrixNeighbours:
    """A 3 x 3 convolution that sees zeros beyond the edge, as `cellscale.predict.native.body.winograd.Winograd`."""

    depth: int
    """Input channels."""
    columns: int
    """Output channels."""
    weights: Matrices
    """As `right_matrices` lays them out, with the channels that each of nine taps sees one after the other."""
    bias: Floats

    @classmethod
    def of(cls, weights: NDArray[np.floating], bias: NDArray[np.floating]) -> Self:
        """Return the convolution with weights ``(columns, depth, 3, 3)`` and a bias ``(columns,)``."""
        columns, depth = weights.shape[:2]
        taps = weights.transpose(2, 3, 1, 0).reshape(9 * depth, columns)
        return cls(depth, columns, right_matrices(taps), bias.astype(np.float32))

    def apply(self, source: Floats, side: int, target: Floats, room: Room, *, rectifies: bool = False) -> None:
        """Write the convolution of a map; see `cellscale.predict.native.body.winograd.Winograd.apply`."""
        _require_pixels(side * side)
        # Where a row is no whole number of registers, a copy of the map for each tap of a row has none beside it: 16
        # pixels are two rows then. Else zeros left and right do.
        copies = 1 if side % SIDE == 0 else 3
        width = side + 2 if copies == 1 else side
        given = room.array("planes", copies * (side + 2) * width * self.depth // 2).view(np.uint32)
        _round_planes(source, side, self.depth, given, copies, width)
        _convolve_neighbours(given, side, self.depth, copies, width, self.weights, self.bias, target, rectifies)


@fused_kernel
def _add_up(given: Matrices, first: int, second: int, between: int, weights: Matrices, at: int, steps: int) -> None:
    """Add products of two times 16 pixels with 32 columns of weights to the sums in registers 0 to 3.

    Parameters
    ----------
    given
        Planes of 32 channels of pixels.
    first, second
        Where the first of each 16 pixels begin.
    between
        From one plane to the next.
    weights, at
        As `right_matrices` lays them out, and where they begin.
    steps
        Number of planes.
    """
    for _ in range(steps):
        load(4, given, first, SIDE)
        load(6, weights, at, SIDE)
        load(7, weights, at + BLOCK, SIDE)
        load(5, given, second, SIDE)
        add_product(0, 4, 6)
        add_product(1, 4, 7)
        add_product(2, 5, 6)
        add_product(3, 5, 7)
        first += between
        second += between
        at += 2 * BLOCK


@fused_kernel
def _clear_sums() -> None:
    clear(0)
    clear(1)
    clear(2)
    clear(3)


@fused_kernel
def _write_sums(
    sums: Floats, bias: Floats, target: Floats, at: int, columns: int, adds: bool, rectifies: bool
) -> None:
    """Write registers 0 to 3 as 32 columns of 32 pixels.

    Parameters
    ----------
    sums
        Room for ``(32, 32)``.
    bias
        Of the columns.
    target, at, columns
        Where they are written, and values from one pixel to the next.
    adds, rectifies
        See `cellscale.predict.native.body.pointwise.Pointwise.apply`.
    """
    store(0, sums, 0, WIDTH)
    store(1, sums, SIDE, WIDTH)
    store(2, sums, SIDE * WIDTH, WIDTH)
    store(3, sums, SIDE * WIDTH + SIDE, WIDTH)
    zero = np.float32(0)
    for row in range(WIDTH):
        s = sums[row * WIDTH : (row + 1) * WIDTH]
        t = target[at + row * columns : at + row * columns + WIDTH]
        if adds and rectifies:
            for j in range(WIDTH):
                value = t[j] + s[j] + bias[j]
                t[j] = zero if value < zero else value
        elif adds:
            for j in range(WIDTH):
                t[j] = t[j] + s[j] + bias[j]
        elif rectifies:
            for j in range(WIDTH):
                value = s[j] + bias[j]
                t[j] = zero if value < zero else value
        else:
            for j in range(WIDTH):
                t[j] = s[j] + bias[j]


@fused_kernel
def _convolve_pixels(
    source: Floats, depth: int, weights: Matrices, bias: Floats, target: Floats, adds: bool, rectifies: bool
) -> None:
    """See `MatrixPointwise.apply`."""
    columns, steps = bias.size, depth // STEP
    # One line more than pixels: planes a power of two apart would share few places of the nearest cache.
    between = (_AT_ONCE + 1) * SIDE
    given = empty(steps * between).view(np.uint32)
    sums = empty(WIDTH * WIDTH)
    configure()
    for begin in range(0, source.size // depth, _AT_ONCE):
        for pixel in range(_AT_ONCE):
            for step in range(steps):
                at, to = (begin + pixel) * depth + step * STEP, step * between + pixel * SIDE
                round_16(source, at, given, to)
                round_16(source, at + SIDE, given, to + SIDE // 2)
        for column in range(0, columns, WIDTH):
            b = bias[column : column + WIDTH]
            for pixel in range(0, _AT_ONCE, WIDTH):
                _clear_sums()
                first = pixel * SIDE
                _add_up(given, first, first + BLOCK, between, weights, column * depth // 2, steps)
                _write_sums(sums, b, target, (begin + pixel) * columns + column, columns, adds, rectifies)
    release()


@fused_kernel
def _round_planes(source: Floats, side: int, depth: int, given: Matrices, copies: int, width: int) -> None:
    """Round a map into planes of 32 channels of pixels, with zeros around it.

    Parameters
    ----------
    source
        ``(side, side, depth)`` flat.
    given
        ``(depth / 32, copies, side + 2, width, 16)`` flat.
    copies, width
        1 and ``side + 2``; or 3 and ``side``, where each copy is what one tap of a row sees.
    """
    given[:] = 0
    plane = (side + 2) * width
    for y in range(side):
        for x in range(side):
            for copy in range(copies):
                column = x + 1 - copy
                if copies == 3 and not 0 <= column < side:
                    continue
                pixel = copy * plane + (y + 1) * width + column
                for step in range(depth // STEP):
                    at, to = (y * side + x) * depth + step * STEP, (step * copies * plane + pixel) * SIDE
                    round_16(source, at, given, to)
                    round_16(source, at + SIDE, given, to + SIDE // 2)


@fused_kernel
def _convolve_neighbours(
    given: Matrices,
    side: int,
    depth: int,
    copies: int,
    width: int,
    weights: Matrices,
    bias: Floats,
    target: Floats,
    rectifies: bool,
) -> None:
    """See `MatrixNeighbours.apply`, and `_round_planes` for the first arguments."""
    columns, steps = bias.size, depth // STEP
    plane = (side + 2) * width
    between, beside = copies * plane * SIDE, SIDE if copies == 1 else plane * SIDE
    sums = empty(WIDTH * WIDTH)
    configure()
    for column in range(0, columns, WIDTH):
        b = bias[column : column + WIDTH]
        for pixel in range(0, side * side, WIDTH):
            other = pixel + SIDE
            first = (pixel // side * width + pixel % side) * SIDE
            second = (other // side * width + other % side) * SIDE
            _clear_sums()
            at = column * 9 * depth // 2
            for tap in range(9):
                moved = tap // 3 * width * SIDE + tap % 3 * beside
                _add_up(given, first + moved, second + moved, between, weights, at, steps)
                at += steps * 2 * BLOCK
            _write_sums(sums, b, target, pixel * columns + column, columns, False, rectifies)
    release()
