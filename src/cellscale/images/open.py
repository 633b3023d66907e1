"""One way to open any image."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError, RequestError
from cellscale.images.array import ArrayImage
from cellscale.images.channels.distinct_names import renamed, with_distinct_names
from cellscale.images.channels.given_names import GivenNames, given_names, with_given_names
from cellscale.images.info import ChannelAxis, Image, ImageInfo, PixelSize
from cellscale.images.readers import open_file
from cellscale.regions import Region
from cellscale.storage.credentials import without_credentials

__all__ = ["open_image", "with_facts"]


def open_image(
    source: str | os.PathLike[str] | NDArray[Any],
    *,
    channel_names: Sequence[str] | GivenNames | None = None,
    channel_axis: ChannelAxis | None = None,
    pixel_size: PixelSize | None = None,
    cache_bytes: int = 128 * 2**20,
    scratch: Path | None = None,
) -> Image:
    """Open an image for reading by region.

    Parameters
    ----------
    source
        Path or URI of an OME-TIFF (or ImageJ or plain TIFF), of an OME-Zarr, or of an NPZ file with a nucleus and a
        membrane channel, or of a format whose reader another package brings; or an array of ``(channels, rows,
        columns)`` or ``(rows, columns)``.
    channel_names
        Names to use instead of the file's.
    channel_axis
        ``Z`` or ``T`` to take focal planes or time points for channels, where there are several.
    pixel_size
        µm/px to use instead of the file's.
    cache_bytes
        Memory for decoded pixels that the next read may need.
    scratch
        Folder for what has to be unpacked before it can be read in part; the system's temporary folder if None.

    Returns
    -------
    Image
        The image; close it when done. Regions may be read from several threads at once. Channels of one name are
        told apart (``DAPI``, ``DAPI (2)``), with a warning among its facts.

    Raises
    ------
    ImageError
        The file is damaged or holds something that cellscale cannot process.
    RequestError
        It is no image at all, or another argument is wrong.
    StorageError
        The file is not there or cannot be read.
    """
    if channel_axis not in (None, *get_args(ChannelAxis)):
        raise RequestError(f"channel_axis: {channel_axis!r} found; {get_args(ChannelAxis)} or None expected")
    if not isinstance(pixel_size, PixelSize | None):
        raise RequestError(f"pixel_size: {pixel_size!r} found; PixelSize(x, y) of cellscale.images.info expected")
    if isinstance(source, np.ndarray):
        return with_facts(ArrayImage(source), channel_names=channel_names, pixel_size=pixel_size)
    if not isinstance(source, (str, os.PathLike)):
        raise RequestError(_no_image(source))
    location = without_credentials(source) if isinstance(source, str) else Path(source)
    image = open_file(location, channel_axis=channel_axis, cache_bytes=cache_bytes, scratch=scratch)
    try:
        return with_facts(image, channel_names=channel_names, pixel_size=pixel_size)
    except ImageError:
        image.close()
        raise


def with_facts(
    image: Image,
    *,
    channel_names: Sequence[str] | GivenNames | None = None,
    pixel_size: PixelSize | None = None,
) -> Image:
    """Return an open image with facts that a caller gives, and with names of channels that differ.

    Parameters
    ----------
    image
        The image.
    channel_names
        Names to use instead of the file's.
    pixel_size
        µm/px to use instead of the file's.

    Raises
    ------
    ImageError
        There are not as many names as channels.
    """
    info = with_distinct_names(_changed(image.info, channel_names, pixel_size))
    return image if info == image.info else _Renamed(image, info)


def _no_image(source: object) -> str:
    """Return what is told of what is no image; arrays of other libraries can be made numpy's."""
    cure = " (numpy.asarray makes one of it, all in memory)" if hasattr(source, "__array__") else ""
    return f"{type(source).__name__} found, an image expected: a path, a URI, a numpy array{cure} or an open image"


def _changed(info: ImageInfo, names: Sequence[str] | GivenNames | None, size: PixelSize | None) -> ImageInfo:
    changed = replace(info, pixel_size=size or info.pixel_size)
    if names is None:
        return changed
    if isinstance(names, GivenNames):
        return with_given_names(changed, names)
    texts = given_names(names, len(info.channels), info.name)
    return replace(changed, channels=tuple(map(renamed, info.channels, texts)))


class _Renamed:
    """An image with other facts than its file's."""

    def __init__(self, image: Image, info: ImageInfo) -> None:
        self._image = image
        self.info = info

    def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
        """Return the pixels as ``(len(channels), rows, columns)``."""
        return self._image.read(channels, region, level)

    def close(self) -> None:
        """Release the file."""
        self._image.close()
