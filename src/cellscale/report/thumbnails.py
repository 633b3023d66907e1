"""Small pictures for the list of images, from those that were kept."""

import base64

import imagecodecs
import numpy as np

from cellscale.report.look import Look, webp
from cellscale.report.picture import Picture

__all__ = ["crop_thumbnail", "overview_thumbnail"]

SIDE = 360
"""Pixels along the longer side of an overview, at most."""
CROP_SIDE = 256
"""Rows and columns of a crop."""


def overview_thumbnail(look: Look) -> str:
    """Return the overview with outlines, small, as WebP in base64."""
    picture = _decoded(look.overlay)
    return webp(_shrunk(picture, -(-max(picture.shape[:2]) // SIDE)))


def crop_thumbnail(look: Look) -> str | None:
    """Return the middle of the first crop with outlines as WebP in base64; None where there is no crop."""
    if not look.crops:
        return None
    picture = _decoded(look.crops[0].overlay)
    top, left = (max(side - CROP_SIDE, 0) // 2 for side in picture.shape[:2])
    return webp(picture[top : top + CROP_SIDE, left : left + CROP_SIDE])


def _decoded(text: str) -> Picture:
    picture: Picture = imagecodecs.webp_decode(base64.b64decode(text))
    return picture[..., :3]


def _shrunk(picture: Picture, cell: int) -> Picture:
    """Return the means of square blocks; what is left over at the right and at the bottom is dropped."""
    if cell <= 1:
        return picture
    rows, columns = (max(side // cell, 1) for side in picture.shape[:2])
    whole = picture[: rows * cell, : columns * cell]
    whole = whole.reshape(rows, whole.shape[0] // rows, columns, whole.shape[1] // columns, 3)
    small: Picture = whole.mean(axis=(1, 3)).round().astype(np.uint8)
    return small
