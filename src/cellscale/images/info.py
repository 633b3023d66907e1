"""What is known of an image before any pixel is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import RequestError
from cellscale.regions import Region

__all__ = ["INTENSITY_TYPES", "Channel", "ChannelAxis", "Image", "ImageInfo", "PixelSize"]

INTENSITY_TYPES = frozenset({"uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64"})
"""Types of pixel that an image may have, by numpy's names."""

ChannelAxis: TypeAlias = Literal["C", "Z", "T"]
"""The axis along which a file keeps its channels: as such, as focal planes or as time points."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of an image."""

    index: int
    """Position in the image, from 0."""

    name: str
    """Name in all outputs: as the file gives it, not trimmed, unless another channel has it or the user gives one;
    ``Channel <index + 1>`` where there is none."""

    color: int | None = None
    """Colour as a signed 32-bit OME RGBA integer, where the file gives one."""

    written: str | None = None
    """The file's name of the channel, where ``name`` is another one."""


@dataclass(frozen=True, slots=True)
class PixelSize:
    """Physical size of a pixel in micrometres."""

    x: float
    y: float
    one_side: bool = field(default=False, compare=False)
    """The file gives one side alone, which was taken for both."""

    from_tags: bool = field(default=False, compare=False)
    """It is from a TIFF's resolution tags, which programs also fill with what printers are to do."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Facts of an image, all of them from its metadata."""

    name: str
    """File name without an ending of images (``.ome.tif``, ``.qptiff``, ``.ome.zarr`` and so on); ``array`` for an
    array."""

    uri: str | None
    """Path or URI of the file; None for an array."""

    height: int
    width: int
    dtype: np.dtype[Any]
    """Native byte order."""

    channels: tuple[Channel, ...]

    pixel_size: PixelSize | None = None
    """None where the file does not say."""

    levels: tuple[tuple[int, int], ...] = ()
    """Rows and columns of each pyramid level, full resolution first."""

    chunk: tuple[int, int] = (256, 256)
    """Rows and columns that are decoded together: a tile, or a strip over the whole width."""

    series: int = 0
    """Index of the image inside its file."""

    significant_bits: int | None = None
    """OME SignificantBits, where the file gives it."""

    warnings: tuple[str, ...] = ()
    """What the user should know of the file: that it holds more than is read."""

    focal_planes: int = 1
    """Focal planes of the file, which are channels here where there are several."""

    time_points: int = 1
    """Time points of the file, which are channels here where there are several."""

    decoding_bytes: int = 0
    """Memory that the largest compressed strip or tile takes while it is decoded, where that is more than 64 MB: it
    cannot be decoded in part."""

    notes: tuple[str, ...] = ()
    """What was taken from elsewhere than the file: names of channels."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns at full resolution."""
        return self.height, self.width

    @property
    def region(self) -> Region:
        """The whole image."""
        return Region(0, 0, self.height, self.width)

    def require(self, channels: Sequence[int], region: Region, level: int = 0) -> None:
        """Raise `RequestError` where pixels are asked for that the image does not have."""
        shapes = self.levels or (self.shape,)
        if not 0 <= level < len(shapes):
            raise RequestError(
                f"{self.name}: level {level} asked for; an image of {len(shapes)}, counted from 0, found"
            )
        if not all(0 <= channel < len(self.channels) for channel in channels):
            raise RequestError(
                f"{self.name}: channels {tuple(channels)} asked for; an image of {len(self.channels)}, counted from "
                "0, found"
            )
        if region.grown(0, shapes[level]) != region or region.height < 0 or region.width < 0:
            raise RequestError(
                f"{self.name}: rows {region.top} to {region.bottom} and columns {region.left} to {region.right} "
                f"asked for; {shapes[level][0]} rows and {shapes[level][1]} columns found"
            )


class Image(Protocol):
    """An open image, read by region from any thread."""

    @property
    def info(self) -> ImageInfo:
        """Facts of the image."""

    def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
        """Return the pixels as ``(len(channels), rows, columns)`` in the image's dtype, native byte order.

        Raises
        ------
        RequestError
            The image does not have these pixels; see `ImageInfo.require`.
        """

    def close(self) -> None:
        """Release the file."""
