"""Telling images apart by some of their pixels."""

import hashlib

import numpy as np

from cellscale.images.info import Image
from cellscale.regions import Region

__all__ = ["sampled_pixels"]

_PLACES = 3
"""Blocks along each side of the image."""

_SIDE = 32
"""Pixels along each side of a block."""

_CHANNELS = 3


def sampled_pixels(image: Image) -> bytes:
    """Return a hash of an image's size and of some of its pixels, the same wherever and however it is stored.

    Names of channels and sizes of pixels, which may be corrected later, take no part.

    Parameters
    ----------
    image
        Nine blocks of it are read, in the first channel, the last and the one in between.

    Raises
    ------
    ImageError
        The pixels are damaged.
    """
    info = image.info
    found = hashlib.blake2b(f"{info.height} {info.width} {info.dtype.str[1:]}".encode(), digest_size=16)
    last = len(info.channels) - 1
    for channel in sorted({round(last * part / (_CHANNELS - 1)) for part in range(_CHANNELS)}):
        for place in range(_PLACES**2):
            pixels = image.read((channel,), _block(info.height, info.width, *divmod(place, _PLACES)))
            found.update(np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")).tobytes())
    return found.digest()


def _block(height: int, width: int, row: int, column: int) -> Region:
    """Return a block around the middle of a part of the image."""
    (top, bottom), (left, right) = (
        (max(middle - _SIDE // 2, 0), min(middle + _SIDE // 2, side))
        for middle, side in (
            ((2 * row + 1) * height // (2 * _PLACES), height),
            ((2 * column + 1) * width // (2 * _PLACES), width),
        )
    )
    return Region(top, left, max(bottom, top + 1), max(right, left + 1))
