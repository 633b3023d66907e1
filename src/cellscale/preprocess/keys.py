"""Pixel values as unsigned integers of the same order, so that exact ranks come from counting digits."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cellscale.errors import ImageError

__all__ = ["DIGIT_BITS", "key_bits", "key_value", "ordered_keys", "require_supported"]

DIGIT_BITS = 16
"""Bits of a key that one pass over the image counts."""


def require_supported(dtype: DTypeLike) -> np.dtype[Any]:
    """Return ``dtype`` as a dtype.

    Raises
    ------
    ImageError
        The dtype is not an integer of at most 32 bits nor a float of 32 or 64 bits.
    """
    found = np.dtype(dtype)
    if (found.kind in "iu" and found.itemsize <= 4) or (found.kind == "f" and found.itemsize in {4, 8}):
        return found
    raise ImageError(
        f"the pixels are {found.name}; expected integers of 8, 16 or 32 bits or floats of 32 or 64 bits. "
        "Convert the image to one of these types."
    )


def key_bits(dtype: np.dtype[Any]) -> int:
    """Return how many bits the keys of ``dtype`` use: a multiple of `DIGIT_BITS`."""
    return max(dtype.itemsize * 8, DIGIT_BITS)


def ordered_keys(pixels: NDArray[Any]) -> NDArray[np.uint32] | NDArray[np.uint64]:
    """Return a key for each pixel, flat, such that keys compare as the pixels do.

    Parameters
    ----------
    pixels
        Finite values of a supported dtype, native byte order, any shape.

    Returns
    -------
    uint64 for float64, otherwise uint32. Negative and positive zero have the same key.
    """
    flat = pixels.ravel()
    if flat.dtype.kind == "u":
        return flat.astype(np.uint32)
    if flat.dtype.kind == "i":
        return (flat.astype(np.int64) - np.iinfo(flat.dtype).min).astype(np.uint32)
    signed, unsigned = (np.int32, np.uint32) if flat.dtype.itemsize == 4 else (np.int64, np.uint64)
    bits = (flat + flat.dtype.type(0)).view(signed)
    # Negative floats order backwards by their bits: flip all of them; of the others flip only the sign.
    flips = (bits >> (flat.dtype.itemsize * 8 - 1)) | np.iinfo(signed).min
    keys: NDArray[np.uint32] | NDArray[np.uint64] = (bits ^ flips).view(unsigned)
    return keys


def key_value(key: int, dtype: np.dtype[Any]) -> float:
    """Return the pixel value, exact in float64, that `ordered_keys` gives ``key`` for."""
    if dtype.kind in "iu":
        return float(key + int(np.iinfo(dtype).min))
    bits = dtype.itemsize * 8
    sign = 1 << (bits - 1)
    pattern = key ^ sign if key & sign else key ^ ((1 << bits) - 1)
    return float(np.array([pattern], dtype=f"u{dtype.itemsize}").view(dtype)[0])
