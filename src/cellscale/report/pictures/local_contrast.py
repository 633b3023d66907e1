"""Dim parts of an image, seen from afar, made as bright as the rest.

Each number is what scipy.ndimage gives, which takes longer to load than it takes to measure a small image.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["evened"]

_SIDE = 64
"""Pixels of the squares that are compared."""
_SHARE = 0.95
"""Of a square's pixels, those that are to be brighter than nothing at most."""
_TARGET = 0.8
"""Brightness that the brightest of a square's pixels should have."""
_GAIN = 4.0
"""By which a square is brightened at most: noise on glass should stay dark."""
_REACH = 4
_BELL = np.exp(-0.5 * np.arange(-_REACH, _REACH + 1.0) ** 2)
_BELL /= _BELL.sum()
"""Weights of a square and its neighbours: a Gaussian whose standard deviation is a square."""


def evened(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a plane whose dim parts are brighter, and whose bright ones are as they were.

    Stain and thickness differ over a slide: with one contrast for all of it, half of it may be black. Each square
    gets a gain of 1 to 4 by its own bright pixels, and gains change smoothly from square to square.

    Parameters
    ----------
    plane
        Brightnesses from 0 to 1, ``(rows, columns)``.
    """
    rows, columns = (-(-side // _SIDE) for side in plane.shape)
    high = np.empty((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            square = plane[row * _SIDE : (row + 1) * _SIDE, column * _SIDE : (column + 1) * _SIDE]
            high[row, column] = np.quantile(square, _SHARE)
    # A dim square beside a bright one takes half of its neighbour's gain, or the border between them would show.
    high = _softened(_softened(high).T).T
    gain = np.clip(_TARGET / np.maximum(high, _TARGET / _GAIN), 1.0, _GAIN)
    smooth = _between(_between(gain.astype(np.float64), plane.shape[0]).T, plane.shape[1]).T.astype(np.float32)
    brightened: NDArray[np.float32] = np.clip(plane * smooth, 0, 1).astype(np.float32)
    return brightened


def _softened(squares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each row as the mean of those around it; beyond the border the last one goes on."""
    around = np.pad(squares.astype(np.float64), ((_REACH, _REACH), (0, 0)), mode="edge")
    softened: NDArray[np.float32] = (
        (sliding_window_view(around, len(_BELL), axis=0) * _BELL).sum(-1).astype(np.float32)
    )
    return softened


def _between(squares: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return a row for each pixel from a row for each square: what lies between the middles of two squares."""
    last = len(squares) - 1
    at = np.clip((np.arange(side) + 0.5) / _SIDE - 0.5, 0, last)
    before = at.astype(np.intp)
    share = (at - before)[:, np.newaxis]
    between: NDArray[np.float64] = squares[before] * (1 - share) + squares[np.minimum(before + 1, last)] * share
    return between
