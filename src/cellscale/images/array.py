"""Arrays as images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.images.channels.given_names import given_names
from cellscale.images.info import Channel, ImageInfo, PixelSize
from cellscale.regions import Region

__all__ = ["ArrayImage"]


class ArrayImage:
    """An image in memory.

    Parameters
    ----------
    pixels
        ``(channels, rows, columns)``, or ``(rows, columns)`` for one channel; integers or floats.
    channel_names
        One for each channel; ``Channel 1`` and so on if None.
    pixel_size
        µm/px, where known.
    name
        Name of the image in outputs.

    Raises
    ------
    ImageError
        The array has other axes, no pixel, no numbers, a mask of its own, or another number of channels than names.
    """

    def __init__(
        self,
        pixels: NDArray[Any],
        *,
        channel_names: Sequence[str] | None = None,
        pixel_size: PixelSize | None = None,
        name: str = "array",
    ) -> None:
        if pixels.ndim not in {2, 3} or 0 in pixels.shape:
            raise ImageError(
                f"{name}: an array of shape {pixels.shape} found; channels, rows, columns or rows, columns expected"
            )
        if isinstance(pixels, np.ma.MaskedArray):
            raise ImageError(
                f"{name}: a masked array found, of which some pixels do not count; numbers in all pixels expected: "
                f"fill it first, as in array.filled(0)"
            )
        if pixels.dtype.kind not in "uif" or pixels.dtype.itemsize > 8:
            raise ImageError(
                f"{name}: an array of {pixels.dtype} found; integers or floats of at most 64 bits expected"
            )
        self._pixels = pixels if pixels.ndim == 3 else pixels[np.newaxis]
        count, height, width = self._pixels.shape
        unnamed = tuple(f"Channel {index + 1}" for index in range(count))
        names = unnamed if channel_names is None else given_names(channel_names, count, name)
        self._info = ImageInfo(
            name=name,
            uri=None,
            height=height,
            width=width,
            dtype=pixels.dtype.newbyteorder("="),
            channels=tuple(Channel(index, text) for index, text in enumerate(names)),
            pixel_size=pixel_size,
            levels=((height, width),),
            chunk=(min(256, height), min(256, width)),
        )

    @property
    def info(self) -> ImageInfo:
        """Facts of the image."""
        return self._info

    def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
        """Return the pixels as ``(len(channels), rows, columns)``, a copy; an array has level 0 only."""
        self._info.require(channels, region, level)
        return self._pixels[(list(channels), *region.slices)].astype(self._info.dtype)

    def close(self) -> None:
        """Nothing is held open."""
