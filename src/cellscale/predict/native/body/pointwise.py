"""1 x 1 convolutions of maps whose channels lie next to each other: products of matrices."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import fused_kernel
from cellscale.predict.native.blocks import ROWS, convolve_block, multiply_block
from cellscale.predict.native.factors import Factors, Floats, paired_rows, rows_like
from cellscale.predict.native.memory import aligned

__all__ = ["PANEL", "Pointwise", "multiply", "panels"]

PANEL: Final = 64
"""Output channels whose weights lie together."""

_AT_ONCE: Final = 64
"""Pixels for which a panel of weights is used before the next one: they and the panel stay in the caches."""

_MORE_AT_ONCE: Final = 256
"""The same where all weights together do not stay in the second cache."""

_NEAR: Final = 1 << 18
"""Weights that stay there."""


def panels(weights: NDArray[np.floating], *, in_pairs: bool = False) -> Factors:
    """Lay weights out as `multiply` reads them.

    Parameters
    ----------
    weights
        ``(..., depth, columns)``; `PANEL` divides the columns.
    in_pairs
        Whether they are rounded to bfloat16.

    Returns
    -------
    Flat ``(..., columns / PANEL, depth, PANEL)``, float32; or ``(..., columns / PANEL, depth / 2, PANEL)`` of pairs.
    """
    *others, depth, columns = weights.shape
    split = weights.reshape(*others, depth, columns // PANEL, PANEL).swapaxes(-2, -3)
    if not in_pairs:
        return aligned(split.astype(np.float32, copy=False))
    return aligned(paired_rows(split))


@dataclass(frozen=True, slots=True)
class Pointwise:
    """A 1 x 1 convolution."""

    depth: int
    """Input channels."""
    columns: int
    """Output channels."""
    weights: Factors
    """As `panels` lays them out."""
    bias: Floats

    @classmethod
    def of(cls, weights: NDArray[np.floating], bias: NDArray[np.floating], *, in_pairs: bool = False) -> Self:
        """Return the convolution with weights ``(columns, depth, 1, 1)`` and a bias ``(columns,)``."""
        columns, depth = weights.shape[:2]
        return cls(depth, columns, panels(weights[:, :, 0, 0].T, in_pairs=in_pairs), bias.astype(np.float32))

    def apply(self, source: Floats, target: Floats, *, adds: bool = False, rectifies: bool = False) -> None:
        """Write the convolution of a map.

        Parameters
        ----------
        source
            ``(pixels, depth)`` flat.
        target
            ``(pixels, columns)`` flat.
        adds
            Whether what the target holds is added.
        rectifies
            Whether a ReLU follows.
        """
        convolve(source, self.depth, self.weights, self.bias, target, self.columns, adds, rectifies)


@fused_kernel
def convolve(
    source: Floats,
    depth: int,
    weights: Factors,
    bias: Floats,
    target: Floats,
    columns: int,
    adds: bool,
    rectifies: bool,
) -> None:
    """See `Pointwise.apply`."""
    pixels = source.size // depth
    most = _AT_ONCE if weights.size <= _NEAR else _MORE_AT_ONCE
    for first in range(0, pixels, most):
        number = min(most, pixels - first)
        given = rows_like(weights, source[first * depth : (first + number) * depth])
        d = given.size // number
        for panel in range(columns // PANEL):
            b, w = panel * PANEL, panel * PANEL * d
            for row in range(0, number, ROWS):
                s, t = row * d, (first + row) * columns + b
                # What is done beside the product is a constant of the machine code.
                if adds and rectifies:
                    convolve_block(given, s, d, weights, w, PANEL, d, target, t, columns, PANEL, bias, b, True, True)
                elif adds:
                    convolve_block(given, s, d, weights, w, PANEL, d, target, t, columns, PANEL, bias, b, True, False)
                elif rectifies:
                    convolve_block(given, s, d, weights, w, PANEL, d, target, t, columns, PANEL, bias, b, False, True)
                else:
                    convolve_block(
                        given, s, d, weights, w, PANEL, d, target, t, columns, PANEL, bias, b, False, False
                    )


@fused_kernel
def multiply(source: Factors, depth: int, weights: Factors, target: Floats, columns: int) -> None:
    """Write a product of matrices; with pairs, ``depth`` is the number of pairs.

    Parameters
    ----------
    source
        ``(rows, depth)`` flat; `ROWS` divides the rows.
    depth
        Its columns.
    weights
        As `panels` lays them out.
    target
        ``(rows, columns)`` flat.
    columns
        Its columns.
    """
    rows = source.size // depth
    for panel in range(columns // PANEL):
        at = panel * PANEL * depth
        for row in range(0, rows, ROWS):
            to = row * columns + panel * PANEL
            multiply_block(source, row * depth, depth, weights, at, PANEL, depth, target, to, columns, PANEL)
