"""Several channels read as one, as they are or each rescaled before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.images.combine_words import Combine
from cellscale.images.info import Image
from cellscale.regions import Region, RegionReader

__all__ = ["Scaling", "combined_dtype", "combined_reader", "scaled_reader"]


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a channel's values become those that are combined: cut off above, moved, and divided."""

    clip: float
    """Larger values become this one."""

    offset: float
    """Value that becomes 0."""

    span: float
    """Difference that becomes 1; 0 makes all values 0, as of a channel of one value."""

    def __call__(self, pixels: NDArray[Any]) -> NDArray[np.float64]:
        """Return rescaled values."""
        if not self.span > 0:
            return np.zeros(pixels.shape, np.float64)
        return (np.minimum(pixels.astype(np.float64), self.clip) - self.offset) / self.span


def combined_reader(image: Image, indices: Sequence[int], combine: Combine = "sum") -> RegionReader:
    """Return a reader of one or several channels as a single one.

    Parameters
    ----------
    image
        The image.
    indices
        Channels; none for a blank one.
    combine
        Sum, maximum or mean of each pixel's values.

    Returns
    -------
    Reads ``(rows, columns)``: in the image's dtype for one channel or the maximum; for a sum of integers in uint32 or
    int32, or int64 for 32-bit images, so that it cannot overflow; float32 for a mean, or float64 of float64; zeros of
    uint8 for a blank channel.
    """
    channels = tuple(indices)
    dtype = combined_dtype(image.info.dtype, len(channels), combine)
    if not channels:
        return lambda region: np.zeros(region.shape, dtype)
    if len(channels) == 1:
        return lambda region: _plane(image.read(channels, region))
    if combine == "max":
        return lambda region: _plane(image.read(channels, region).max(axis=0, keepdims=True))
    if combine == "mean":
        return lambda region: image.read(channels, region).mean(axis=0, dtype=np.float64).astype(dtype)

    def read_sum(region: Region) -> NDArray[Any]:
        return _plane(image.read(channels, region).sum(axis=0, keepdims=True, dtype=dtype))

    return read_sum


def combined_dtype(dtype: np.dtype[Any], channels: int, combine: Combine = "sum") -> np.dtype[Any]:
    """Return the dtype that `combined_reader` reads of so many channels of an image of a dtype, without reading."""
    if not channels:
        return np.dtype(np.uint8)
    if channels > 1 and combine == "mean":
        return np.dtype(np.float64 if dtype == np.float64 else np.float32)
    return dtype.newbyteorder("=") if channels == 1 or combine == "max" else _sum_type(dtype)


def scaled_reader(
    channels: Sequence[RegionReader], scalings: Sequence[Scaling], combine: Combine = "sum"
) -> RegionReader:
    """Return a reader of several channels as a single one, each rescaled before.

    Parameters
    ----------
    channels
        At least one reader of ``(rows, columns)``.
    scalings
        One for each.
    combine
        Sum, maximum or mean of each pixel's rescaled values.

    Returns
    -------
    Reads float32 ``(rows, columns)``, computed in float64, channel after channel.
    """

    def read_scaled(region: Region) -> NDArray[np.float32]:
        total = np.zeros(region.shape, np.float64)
        for index, (read, scale) in enumerate(zip(channels, scalings, strict=True)):
            scaled = scale(read(region))
            if index == 0:
                total = scaled
            elif combine == "max":
                np.maximum(total, scaled, out=total)
            else:
                total += scaled
        if combine == "mean":
            total /= len(channels)
        with np.errstate(over="ignore"):  # what float32 cannot hold is told by whoever looks at the range
            return total.astype(np.float32)

    return read_scaled


def _plane(pixels: NDArray[Any]) -> NDArray[Any]:
    plane: NDArray[Any] = pixels[0]
    return plane


def _sum_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind == "f":
        return dtype.newbyteorder("=")
    if dtype.itemsize >= 4:
        return np.dtype(np.int64)
    return np.dtype(np.uint32 if dtype.kind == "u" else np.int32)
