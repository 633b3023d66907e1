"""Convolutions of maps whose channels lie side by side, with AMX.

A map is rounded into planes of 32 channels, where a pixel is a line of the caches and 16 neighbours are a register.
A 3 x 3 convolution is the sum of nine 1 x 1 convolutions of the moved map. Winograd's would save multiplications, but
here its ends would take longer than what it saves, and it rounds more.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel
from cellscale.predict.native.body.row_steps import finish_row
from cellscale.predict.native.factors import Floats, Matrices
from cellscale.predict.native.matrices.layout import BLOCK, STEP, WIDTH, right_matrices
from cellscale.predict.native.matrices.registers import SIDE, configure, release
from cellscale.predict.native.matrices.sums import add_products, clear_sums, store_sums
from cellscale.predict.native.memory import Room, empty
from cellscale.predict.native.rounding import split_16

__all__ = ["MatrixNeighbours", "MatrixPointwise"]

_NEAR: Final = 1 << 20
"""Bytes of a map for which all weights are used before the next ones, where these come from the third cache.
Processors with AMX have a second cache of twice as many for each core."""

_PIXELS: Final = 64
"""Divides the pixels of a map."""


def _require_pixels(pixels: int) -> None:
    if pixels % _PIXELS:
        raise ValueError(f"a map of {pixels} pixels; expected a multiple of {_PIXELS}")


@dataclass(frozen=True, slots=True)
class _MatrixConvolution:
    """A convolution's weights."""

    depth: int
    """Input channels."""
    columns: int
    """Output channels."""
    weights: Matrices
    """As `right_matrices` lays them out: the channels that one tap sees after those of the one before."""
    bias: Floats


@dataclass(frozen=True, slots=True)
class MatrixPointwise(_MatrixConvolution):
    """A 1 x 1 convolution, as `cellscale.predict.native.body.pointwise.Pointwise`; 64 divides the pixels."""

    @classmethod
    def of(cls, weights: NDArray[np.floating], bias: NDArray[np.floating], pieces: int) -> Self:
        """Return the convolution with weights ``(columns, depth, 1, 1)`` and a bias ``(columns,)``."""
        columns, depth = weights.shape[:2]
        return cls(depth, columns, right_matrices(weights[:, :, 0], pieces), bias.astype(np.float32))

    def apply(self, source: Floats, target: Floats, *, adds: bool = False, rectifies: bool = False) -> None:
        """Write the convolution of a map; see `cellscale.predict.native.body.pointwise.Pointwise.apply`."""
        _require_pixels(source.size // self.depth)
        _convolve_pixels(source, self.depth, self.weights, self.bias, target, adds, rectifies)


@dataclass(frozen=True, slots=True)
class MatrixNeighbours(_MatrixConvolution):
    """A 3 x 3 convolution that sees zeros beyond the edge, as `cellscale.predict.native.body.winograd.Winograd`."""

    @classmethod
    def of(cls, weights: NDArray[np.floating], bias: NDArray[np.floating], pieces: int) -> Self:
        """Return the convolution with weights ``(columns, depth, 3, 3)`` and a bias ``(columns,)``."""
        columns, depth = weights.shape[:2]
        factors = right_matrices(weights.reshape(columns, depth, 9), pieces)
        return cls(depth, columns, factors, bias.astype(np.float32))

    def apply(
        self, source: Floats, side: int, target: Floats, room: Room, *, tiles: int = 1, rectifies: bool = False
    ) -> None:
        """Write the convolution of maps; see `cellscale.predict.native.body.winograd.Winograd.apply`."""
        _require_pixels(side * side * tiles)
        # Where a row is no whole number of registers, a copy of the map for each tap of a row has none beside it: 16
        # pixels are two rows then. Else zeros left and right do.
        copies = 1 if side * tiles % SIDE == 0 else 3
        width = (side + 2 if copies == 1 else side) * tiles
        pieces, steps = len(self.weights), self.depth // STEP
        given = room.array("planes", pieces * steps * copies * (side + 2) * width * SIDE).view(np.uint32)
        _split_maps(source, side, tiles, self.depth, given, copies, width, pieces)
        planes = given.reshape(pieces, -1)
        _convolve_neighbours(planes, side, tiles, steps, copies, width, self.weights, self.bias, target, rectifies)


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
    store_sums(sums, 0, WIDTH)
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
    source: Floats, depth: int, weights: Matrices, bias: Floats, target: Floats, adds: bool, rectifies: bool
) -> None:
    """See `MatrixPointwise.apply`."""
    columns, steps, pieces = bias.size, depth // STEP, weights.shape[0]
    pixels = source.size // depth
    most = _PIXELS
    if 4 * weights.size > _NEAR:
        most = min(max(_NEAR // (2 * pieces * depth) // _PIXELS, 1) * _PIXELS, pixels)
    # One line more than pixels: planes a power of two apart would share few places of the nearest cache.
    between = (most + 1) * SIDE
    size = steps * between
    flat = empty(pieces * size).view(np.uint32)
    given = flat.reshape(pieces, size)
    sums = empty(WIDTH * WIDTH)
    configure()
    for begin in range(0, pixels, most):
        number = min(most, pixels - begin)
        for pixel in range(number):
            _split_pixel(source, (begin + pixel) * depth, depth, flat, pixel * SIDE, between, pieces, size)
        for column in range(0, columns, WIDTH):
            at = column * depth // 2
            for pixel in range(0, number, WIDTH):
                clear_sums()
                first = pixel * SIDE
                add_products(given, first, first + BLOCK, between, weights, at, at + BLOCK, 2 * BLOCK, steps)
                _write_sums(sums, bias, column, target, begin + pixel, adds, rectifies)
    release()


@fused_kernel
def _split_pixel(
    source: Floats, at: int, depth: int, given: Matrices, to: int, between: int, pieces: int, size: int
) -> None:
    """Write the channels of a pixel, from ``source[at]`` on, into the planes ``between`` apart of each piece.

    ``given`` is flat, with pieces ``size`` apart: to change its shape for each pixel takes longer than the pixel.
    """
    for _ in range(depth // STEP):
        # How many is a constant of the machine code.
        if pieces == 1:
            split_16(source, at, given, to, size, 1)
            split_16(source, at + SIDE, given, to + SIDE // 2, size, 1)
        elif pieces == 2:
            split_16(source, at, given, to, size, 2)
            split_16(source, at + SIDE, given, to + SIDE // 2, size, 2)
        else:
            split_16(source, at, given, to, size, 3)
            split_16(source, at + SIDE, given, to + SIDE // 2, size, 3)
        at += STEP
        to += between


@fused_kernel
def _split_maps(
    source: Floats, side: int, tiles: int, depth: int, given: Matrices, copies: int, width: int, pieces: int
) -> None:
    """Write maps into planes of 32 channels of pixels, with zeros around them.

    Parameters
    ----------
    source
        ``(side, side, tiles, depth)`` flat.
    given
        ``(pieces, depth / 32, copies, side + 2, width, 16)`` flat.
    copies, width
        1 and ``(side + 2) * tiles``; or 3 and ``side * tiles``, where each copy is what one tap of a row sees.
    pieces
        How many a value becomes.
    """
    given[:] = 0
    plane, size, across = (side + 2) * width, given.size // pieces, side * tiles
    between = copies * plane * SIDE
    for y in range(side):
        for pixel in range(across):
            for copy in range(copies):
                column = pixel + (1 - copy) * tiles
                if copies == 3 and not 0 <= column < across:
                    continue
                to = (copy * plane + (y + 1) * width + column) * SIDE
                _split_pixel(source, (y * across + pixel) * depth, depth, given, to, between, pieces, size)


@fused_kernel
def _convolve_neighbours(
    given: Matrices,
    side: int,
    tiles: int,
    steps: int,
    copies: int,
    width: int,
    weights: Matrices,
    bias: Floats,
    target: Floats,
    rectifies: bool,
) -> None:
    """See `MatrixNeighbours.apply`, and `_split_maps` for the first arguments."""
    columns, across = bias.size, side * tiles
    plane = (side + 2) * width
    between, beside = copies * plane * SIDE, (tiles if copies == 1 else plane) * SIDE
    sums = empty(WIDTH * WIDTH)
    pixels = side * across
    most = min(max(pixels * _NEAR // (4 * given.size) // _PIXELS, 1) * _PIXELS, pixels)
    configure()
    for begin in range(0, pixels, most):
        for column in range(0, columns, WIDTH):
            for pixel in range(begin, min(begin + most, pixels), WIDTH):
                other = pixel + SIDE
                first = (pixel // across * width + pixel % across) * SIDE
                second = (other // across * width + other % across) * SIDE
                clear_sums()
                at = column // WIDTH * 9 * steps * 2 * BLOCK
                for step in range(steps):
                    for tap in range(9):
                        moved = step * between + tap // 3 * width * SIDE + tap % 3 * beside
                        add_products(given, first + moved, second + moved, 0, weights, at, at + BLOCK, 0, 1)
                        at += 2 * BLOCK
                _write_sums(sums, bias, column, target, pixel, False, rectifies)
    release()
