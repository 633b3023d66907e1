"""Dim parts of an image, seen from afar, made as bright as the rest."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["evened"]

_SIDE = 64
"""Pixels of the squares that are compared."""
_SHARE = 0.95
"""Of a square's pixels, those that are to be brighter than nothing at most."""
_TARGET = 0.8
"""Brightness that the brightest of a square's pixels should have."""
_GAIN = 4.0
"""By which a square is brightened at most: noise on glass should stay dark."""


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
    high = ndimage.gaussian_filter(high, 1.0, mode="nearest")
    gain = np.clip(_TARGET / np.maximum(high, _TARGET / _GAIN), 1.0, _GAIN)
    at = [(np.arange(side, dtype=np.float32) + 0.5) / _SIDE - 0.5 for side in plane.shape]
    smooth = ndimage.map_coordinates(gain, np.meshgrid(*at, indexing="ij"), order=1, mode="nearest")
    brightened: NDArray[np.float32] = np.clip(plane * smooth, 0, 1).astype(np.float32)
    return brightened
