"""Small pictures for the list of images."""

import numpy as np

from cellscale.report.pictures.picture import Picture

__all__ = ["middle", "shrunk"]


def shrunk(picture: Picture, side: int) -> Picture:
    """Return the means of square blocks, so that neither side is longer than ``side``.

    What is left over at the right and at the bottom is dropped.
    """
    cell = -(-max(picture.shape[:2]) // side)
    if cell == 1:
        return picture
    rows, columns = (max(length // cell, 1) for length in picture.shape[:2])
    whole = picture[: rows * cell, : columns * cell]
    whole = whole.reshape(rows, whole.shape[0] // rows, columns, whole.shape[1] // columns, 3)
    small: Picture = whole.mean(axis=(1, 3)).round().astype(np.uint8)
    return small


def middle(picture: Picture, side: int) -> Picture:
    """Return the square of ``side`` in the middle of a picture, or what there is of it."""
    top, left = (max(length - side, 0) // 2 for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]
