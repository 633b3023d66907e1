"""What an image gives to the network: two channels, their pixel size, and how they were chosen."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cellscale.errors import ImageError
from cellscale.images.channels import combined_reader, select_channels
from cellscale.images.info import Image, ImageInfo
from cellscale.images.open import open_image
from cellscale.images.pixel_size import ChosenPixelSize, choose_pixel_size
from cellscale.pipeline.request import Request
from cellscale.regions import Region, RegionReader
from cellscale.workspace.discovery import ImageEntry

__all__ = ["MODEL_MPP", "NetworkInput", "network_input", "open_input"]

MODEL_MPP = 0.5
"""µm/px of the images that Mesmer was trained on."""


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """The two channels that an image is segmented from, at the image's own pixel size."""

    info: ImageInfo
    """The file that the channels are read from."""
    channels: tuple[RegionReader, RegionReader]
    """Readers of nucleus and membrane, each of 2-D arrays."""
    dtypes: tuple[np.dtype[Any], np.dtype[Any]]
    pixel_size: ChosenPixelSize
    notes: tuple[str, ...]
    """What was chosen and why."""
    choice: tuple[str, ...]
    """The same as facts, for fingerprints."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.info.shape

    @property
    def factor(self) -> float:
        """Pixels of the network a pixel of the image, along each axis."""
        return self.pixel_size.mpp / MODEL_MPP


def network_input(image: Image, request: Request, pixel_size: ChosenPixelSize | None = None) -> NetworkInput:
    """Choose the channels and the pixel size of an open image.

    Parameters
    ----------
    image
        The image, or an NPZ file's nucleus and membrane.
    request
        What the user asked for.
    pixel_size
        µm/px to use where ``image`` cannot tell.

    Raises
    ------
    ChannelError
        A channel cannot be found.
    """
    info = image.info
    selection = select_channels(info, request.nuclear_channels, request.membrane_channels)
    readers = tuple(
        combined_reader(image, indices, request.combine) for indices in (selection.nuclear, selection.membrane)
    )
    chosen = pixel_size or choose_pixel_size(info, request.image_mpp)
    corner = Region(0, 0, 1, 1)
    return NetworkInput(
        info=info,
        channels=(readers[0], readers[1]),
        dtypes=(readers[0](corner).dtype, readers[1](corner).dtype),
        pixel_size=chosen,
        notes=(
            f"nucleus: {selection.nuclear_text}; membrane: {selection.membrane_text}; "
            f"{chosen.mpp:g} µm/px ({chosen.source})",
        ),
        choice=(str(selection.nuclear), str(selection.membrane), request.combine, repr(chosen.mpp)),
    )


@contextmanager
def open_input(entry: ImageEntry, request: Request, cache_bytes: int) -> Iterator[NetworkInput]:
    """Open what an image is to be segmented from: its NPZ file where there is one, else the image itself.

    Raises
    ------
    ImageError
        A file is damaged, or the NPZ file has another size than its image.
    """
    with ExitStack() as stack:
        image = None
        if entry.image is not None:
            image = stack.enter_context(closing(open_image(entry.image, cache_bytes=cache_bytes)))
        if entry.npz is None:
            assert image is not None, "an entry without NPZ file has an image"
            yield network_input(image, request)
            return
        arrays = stack.enter_context(closing(open_image(entry.npz, cache_bytes=cache_bytes)))
        if image is not None and image.info.shape != arrays.info.shape:
            raise ImageError(
                f"{entry.npz} has {arrays.info.height} x {arrays.info.width} pixels (rows x columns), its image "
                f"{image.info.height} x {image.info.width}; expected the same. Remove or remake the NPZ file."
            )
        size = choose_pixel_size((image or arrays).info, request.image_mpp)
        yield network_input(arrays, without_channels(request), size)


def without_channels(request: Request) -> Request:
    """Return the request for an NPZ file, whose two channels are what the user chose when making it."""
    return replace(request, nuclear_channels=("#1",), membrane_channels=("#2",))
