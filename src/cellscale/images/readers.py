"""Which reader opens which file: cellscale's own, and those of other packages."""

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ExtensionError
from cellscale.extensions import Extension
from cellscale.images.image_names import is_zarr, readers
from cellscale.images.info import INTENSITY_TYPES, ChannelAxis, Image, ImageInfo
from cellscale.regions import Region
from cellscale.storage.uri import Location

__all__ = ["Reader", "open_file"]


class Reader(Protocol):
    """Opens the images of one file format.

    An entry point of the group ``cellscale.readers`` names it; the entry point's name is the ending of the files,
    without its dot.
    """

    def __call__(self, location: Location, *, cache_bytes: int, scratch: Path | None) -> Image:
        """Open an image, and read of it only what its facts are in.

        Parameters
        ----------
        location
            Path, or URI where the dataset is in an object store: ``cellscale.storage.ranges`` reads both.
        cache_bytes
            Memory that may be kept for pixels that the next read may need.
        scratch
            Folder for what has to be unpacked first; the system's temporary folder if None.

        Returns
        -------
        The image, whose regions may be asked for from several threads at once.

        Raises
        ------
        ImageError
            The file is damaged, or holds what this reader does not know.
        StorageError
            The file is not there or cannot be read; `OSError` is told as such as well.
        """


class OwnReader(Protocol):
    """A reader of cellscale's own, which takes channels from another axis where that is asked for."""

    def __call__(
        self, location: Location, *, channel_axis: ChannelAxis | None, cache_bytes: int, scratch: Path | None
    ) -> Image:
        """Open an image; see `Reader`."""


def open_file(
    location: Location, *, channel_axis: ChannelAxis | None = None, cache_bytes: int, scratch: Path | None
) -> Image:
    """Open a file or object with the reader for its ending; parameters and errors as of `Reader`.

    Raises
    ------
    ExtensionError
        The reader is another package's and does not work.
    """
    found = _reader_of(location)
    # Each reader brings a library of its own, which need not load for the others.
    if found.is_own:
        own: OwnReader = found.load(ExtensionError)
        return own(location, channel_axis=channel_axis, cache_bytes=cache_bytes, scratch=scratch)
    reader: Reader = found.load(ExtensionError)
    with found.blamed():
        return _Watched(reader(location, cache_bytes=cache_bytes, scratch=scratch), found)


def _reader_of(location: Location) -> Extension:
    """Return the reader with the longest ending that fits; for a file of an unknown one, the reader of TIFFs."""
    name = os.fspath(location).rstrip("/").lower()
    found = readers()
    usual = ".zarr" if is_zarr(location) else ".tif"
    return found[next((suffix for suffix in found if name.endswith(suffix)), usual)]


class _Watched:
    """An image of another package's reader, whose mistakes are told to be its own and spoil no result."""

    def __init__(self, image: Image, reader: Extension) -> None:
        self._image = image
        self._reader = reader
        self.info = image.info
        if not isinstance(self.info, ImageInfo):
            raise reader.failure(f"the image has facts of type {type(self.info).__name__}, ImageInfo expected")
        if self.info.dtype.name not in INTENSITY_TYPES or not self.info.dtype.isnative:
            raise reader.failure(
                f"pixels of type {self.info.dtype.str} found, one of {', '.join(sorted(INTENSITY_TYPES))} expected, "
                "in native byte order"
            )

    def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
        """Return the pixels as ``(len(channels), rows, columns)``."""
        self.info.require(channels, region, level)
        with self._reader.blamed():
            pixels = self._image.read(channels, region, level)
            expected = (len(channels), *region.shape)
            if not isinstance(pixels, np.ndarray) or pixels.shape != expected or pixels.dtype != self.info.dtype:
                found = f"{getattr(pixels, 'dtype', type(pixels).__name__)} {getattr(pixels, 'shape', '')}"
                raise self._reader.failure(f"{found} read, {self.info.dtype} {expected} expected")
        return pixels

    def close(self) -> None:
        """Release the file."""
        with self._reader.blamed():
            self._image.close()
