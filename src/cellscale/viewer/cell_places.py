"""Where the cells of a mask are: a label's place, and how long a pixel is in the table's unit."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cellscale.images.masks import Mask
from cellscale.regions import Region

__all__ = ["find_label", "pixel_lengths"]

_BAND_BYTES = 16 * 2**20
_PATCH = 128
_PATCHES = 3
"""Patches a side from which the length of a pixel is learnt."""


def find_label(mask: Mask, label: int) -> tuple[float, float] | None:
    """Return x and y, in pixels, of the part of a cell that a search from top to bottom meets first."""
    height, width = mask.shape
    step = max(1, _BAND_BYTES // (4 * width))
    for top in range(0, height, step):
        rows, columns = np.nonzero(mask.read(Region(top, 0, min(top + step, height), width)) == label)
        if len(rows):
            return float(columns.mean()) + 0.5, float(rows.mean()) + top + 0.5
    return None


def pixel_lengths(
    mask: Mask, labels: NDArray[np.uint32], centroids: NDArray[np.float64]
) -> tuple[float, float] | None:
    """Return the width and height of a pixel in the unit in which a table gives centroids.

    The table may have been made with another µm/px than the image's own, and does not tell. The cells do: the pixels
    of a cell lie around its centroid.

    Parameters
    ----------
    mask
        The mask of the table's objects.
    labels
        Their labels in it, (objects,).
    centroids
        x and y of each, (objects, 2).

    Returns
    -------
    None where no object was met.
    """
    if not len(labels):
        return None
    order = np.argsort(labels, kind="stable")
    products, squares = np.zeros(2), np.zeros(2)
    for patch in _patches(mask.shape):
        pixels = mask.read(patch)
        rows, columns = np.nonzero(pixels)
        objects = order[np.searchsorted(labels, pixels[rows, columns], sorter=order).clip(max=len(order) - 1)]
        known = labels[objects] == pixels[rows, columns]
        places = np.stack([columns + patch.left, rows + patch.top], axis=1)[known] + 0.5
        products += (centroids[objects[known]] * places).sum(axis=0)
        squares += (places**2).sum(axis=0)
    if not squares.all():
        return None
    width, height = (products / squares).tolist()  # least squares
    return width, height


def _patches(shape: tuple[int, int]) -> Iterator[Region]:
    """Yield patches all over the image."""
    starts = [np.unique(np.linspace(0, max(size - _PATCH, 0), _PATCHES, dtype=np.int64)).tolist() for size in shape]
    for top in starts[0]:
        for left in starts[1]:
            yield Region(top, left, min(top + _PATCH, shape[0]), min(left + _PATCH, shape[1]))
