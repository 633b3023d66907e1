"""Convolutions of maps whose channels lie side by side, with AMX.

A map is rounded into planes of 32 channels, where a pixel is a line of the caches and 16 neighbours are a register.
A 3 x 3 convolution is the sum of nine 1 x 1 convolutions of the moved map. Winograd's would save multiplications, but
here its ends would take longer than what it saves, and it rounds more.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel, kernel
from cellscale.predict.native.body.room import Room
from cellscale.predict.native.body.row_steps import finish_row
from cellscale.predict.native.factors import Floats, Matrices, empty, round_16, round_rest_16, rounded, widened
from cellscale.predict.native.matrices.layout import BLOCK, STEP, WIDTH, right_matrices
from cellscale.predict.native.matrices.registers import SIDE, add_product, clear, configure, load, release, store

__all__ = ["MatrixNeighbours", "MatrixPointwise"]

_AT_ONCE: Final = 64
"""Pixels for which all weights are used before the next ones: their channels stay in the caches."""


def _require_pixels(pixels: int) -> None:
    if pixels % _AT_ONCE:
        raise ValueError(f"a map of {pixels} pixels; expected a multiple of {_AT_ONCE}")


@kernel
def _steps(depth: int, is_fine: bool) -> int:
    """Return the number of planes of a map."""
    return (3 if is_fine else 1) * depth // STEP


def _factors(weights: NDArray[np.floating], is_fine: bool) -> Matrices:
    """Lay weights ``(taps, depth, columns)`` out.

    A fine factor is the sum of the nearest bfloat16 and of what is left. Of the four products of two such sums, that
    of what is left is too small to matter: three times as many channels have the others.
    """
    if is_fine:
        nearest = widened(rounded(weights))
        weights = np.concatenate([nearest, nearest, weights - nearest], axis=1)
    return right_matrices(weights.reshape(-1, weights.shape[-1]))


@dataclass(frozen=True, slots=True)
class _MatrixConvolution:
    """A convolution's weights."""

    depth: int
    """Input channels."""
    columns: int
    """Output channels."""
    is_fine: bool
    """Whether a factor is the sum of two of bfloat16, which differs from float32 in the last 8 bits."""
    weights: Matrices
    """As `right_matrices` lays them out: the channels that one tap sees after those of the one before."""
    bias: Floats


@dataclass(frozen=True, slots=True)
class MatrixPointwise(_MatrixConvolution):
    """A 1 x 1 convolution, as `cellscale.predict.native.body.pointwise.Pointwise`; 64 divides the pixels."""

    @classmethod
    def of(cls, weights: NDArray[np.floating], bias: NDArray[np.floating], *, is_fine: bool = False) -> Self:
        """Return the convolution with weights ``(columns, depth, 1, 1)`` and a bias ``(columns,)``."""
        columns, depth = weights.shape[:2]
        factors = _factors(weights[:, :, 0].transpose(2, 1, 0), is_fine)
        return cls(depth, columns, is_fine, factors, bias.astype(np.float32))

    def apply(self, source: Floats, target: Floats, *, adds: bool = False, rectifies: bool = False) -> None:
        """Write the convolution of a map; see `cellscale.predict.native.body.pointwise.Pointwise.apply`."""
        _require_pixels(source.size // self.depth)
        _convolve_pixels(source, self.depth, self.is_fine, self.weights, self.bias, target, adds, rectifies)


@dataclass(frozen=True, slots=True)
class MatrixNeighbours(_MatrixConvolution):
    """A 3 x 3 convolution that sees zeros beyond the edge, as `cellscale.predict.native.body.winograd.Winograd`."""

    @classmethod
    def of(cls, weights: NDArray[np.floating], bias: NDArray[np.floating], *, is_fine: bool = False) -> Self:
        """Return the convolution with weights ``(columns, depth, 3, 3)`` and a bias ``(columns,)``."""
        columns, depth = weights.shape[:2]
        factors = _factors(weights.transpose(2, 3, 1, 0).reshape(9, depth, columns), is_fine)
        return cls(depth, columns, is_fine, factors, bias.astype(np.float32))

    def apply(self, source: Floats, side: int, target: Floats, room: Room, *, rectifies: bool = False) -> None:
        """Write the convolution of a map; see `cellscale.predict.native.body.winograd.Winograd.apply`."""
        _require_pixels(side * side)
        # Where a row is no whole number of registers, a copy of the map for each tap of a row has none beside it: 16
        # pixels are two rows then. Else zeros left and right do.
        copies = 1 if side % SIDE == 0 else 3
        width = side + 2 if copies == 1 else side
        steps = _steps(self.depth, self.is_fine)
        given = room.array("planes", steps * copies * (side + 2) * width * SIDE).view(np.uint32)
        _round_planes(source, side, self.depth, self.is_fine, given, copies, width)
        _convolve_neighbours(given, side, steps, copies, width, self.weights, self.bias, target, rectifies)


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
    sums: Floats, bias: Floats, column: int, target: Floats, pixel: int, adds: bool, rectifies: bool
) -> None:
    """Write registers 0 to 3 as 32 columns of 32 pixels.

    Parameters
    ----------
    sums
        Room for ``(32, 32)``.
    bias
        Of all columns.
    column, pixel
        The first ones.
    target
        ``(pixels, columns)`` flat.
    adds, rectifies
        See `cellscale.predict.native.body.pointwise.Pointwise.apply`.
    """
    columns = bias.size
    at = pixel * columns + column
    store(0, sums, 0, WIDTH)
    store(1, sums, SIDE, WIDTH)
    store(2, sums, SIDE * WIDTH, WIDTH)
    store(3, sums, SIDE * WIDTH + SIDE, WIDTH)
    for row in range(WIDTH):
        s, to = row * WIDTH, at + row * columns
        # What is done is a constant of the machine code.
        if adds and rectifies:
            finish_row(sums, s, bias, column, target, to, WIDTH, True, True)
        elif adds:
            finish_row(sums, s, bias, column, target, to, WIDTH, True, False)
        elif rectifies:
            finish_row(sums, s, bias, column, target, to, WIDTH, False, True)
        else:
            finish_row(sums, s, bias, column, target, to, WIDTH, False, False)


@fused_kernel
def _convolve_pixels(
    source: Floats,
    depth: int,
    is_fine: bool,
    weights: Matrices,
    bias: Floats,
    target: Floats,
    adds: bool,
    rectifies: bool,
) -> None:
    """See `MatrixPointwise.apply`."""
    columns, steps = bias.size, _steps(depth, is_fine)
    # One line more than pixels: planes a power of two apart would share few places of the nearest cache.
    between = (_AT_ONCE + 1) * SIDE
    given = empty(steps * between).view(np.uint32)
    sums = empty(WIDTH * WIDTH)
    configure()
    for begin in range(0, source.size // depth, _AT_ONCE):
        for pixel in range(_AT_ONCE):
            _round_pixel(source, (begin + pixel) * depth, depth, is_fine, given, pixel * SIDE, between)
        for column in range(0, columns, WIDTH):
            for pixel in range(0, _AT_ONCE, WIDTH):
                _clear_sums()
                first = pixel * SIDE
                at = column // WIDTH * steps * 2 * BLOCK
                _add_up(given, first, first + BLOCK, between, weights, at, steps)
                _write_sums(sums, bias, column, target, begin + pixel, adds, rectifies)
    release()


@fused_kernel
def _round_pixel(source: Floats, at: int, depth: int, is_fine: bool, given: Matrices, to: int, between: int) -> None:
    """Round the channels of a pixel, from ``source[at]`` on, into the planes ``between`` apart."""
    for _ in range(depth // STEP):
        round_16(source, at, given, to)
        round_16(source, at + SIDE, given, to + SIDE // 2)
        if is_fine:
            rest = to + depth // STEP * between
            round_rest_16(source, at, given, rest)
            round_rest_16(source, at + SIDE, given, rest + SIDE // 2)
            again = rest + depth // STEP * between
            round_16(source, at, given, again)
            round_16(source, at + SIDE, given, again + SIDE // 2)
        at += STEP
        to += between


@fused_kernel
def _round_planes(
    source: Floats, side: int, depth: int, is_fine: bool, given: Matrices, copies: int, width: int
) -> None:
    """Round a map into planes of 32 channels of pixels, with zeros around it.

    Parameters
    ----------
    source
        ``(side, side, depth)`` flat.
    given
        ``(depth / 32, copies, side + 2, width, 16)`` flat, or three times as large.
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
                at = (y * side + x) * depth
                _round_pixel(source, at, depth, is_fine, given, pixel * SIDE, copies * plane * SIDE)


@fused_kernel
def _convolve_neighbours(
    given: Matrices,
    side: int,
    steps: int,
    copies: int,
    width: int,
    weights: Matrices,
    bias: Floats,
    target: Floats,
    rectifies: bool,
) -> None:
    """See `MatrixNeighbours.apply`, and `_round_planes` for the first arguments."""
    columns = bias.size
    plane = (side + 2) * width
    between, beside = copies * plane * SIDE, SIDE if copies == 1 else plane * SIDE
    sums = empty(WIDTH * WIDTH)
    configure()
    for column in range(0, columns, WIDTH):
        for pixel in range(0, side * side, WIDTH):
            other = pixel + SIDE
            first = (pixel // side * width + pixel % side) * SIDE
            second = (other // side * width + other % side) * SIDE
            _clear_sums()
            at = column // WIDTH * 9 * steps * 2 * BLOCK
            for tap in range(9):
                moved = tap // 3 * width * SIDE + tap % 3 * beside
                _add_up(given, first + moved, second + moved, between, weights, at, steps)
                at += steps * 2 * BLOCK
            _write_sums(sums, bias, column, target, pixel, False, rectifies)
    release()
