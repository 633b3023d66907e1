"""How large the images of a dataset are, from their headers alone."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from cellscale.errors import CellscaleError
from cellscale.images.info import ImageInfo
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.pipeline.model import LIKE_MESMER, Interface
from cellscale.pipeline.segmenting import method_of_kind, require_plausible
from cellscale.preprocess.rescale import rescaled_shape
from cellscale.records.rates import ImageSize
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image

__all__ = ["ImageSizes", "image_size", "survey"]

_HEADERS = 256
"""Images whose headers are read; of more images, so many evenly from the smallest file to the largest."""
_SIDE_BY_SIDE = 16


@dataclass(frozen=True, slots=True)
class ImageSizes:
    """The sizes of a dataset's images."""

    sizes: tuple[ImageSize, ...]
    """One for each image that can be opened."""
    unreadable: tuple[str, ...]
    """Names of images that cannot, or whose pixels are of a size that a run refuses."""
    guessed: int
    """Images among those of ``sizes`` whose header was not read: they are taken to be as the nearest file in size."""


def survey(entries: Sequence[ImageEntry], mpp: float | None = None, network: Interface = LIKE_MESMER) -> ImageSizes:
    """Read the headers of images.

    Parameters
    ----------
    entries
        The images.
    mpp
        Micrometres a pixel, where the user gives it.
    network
        How the network sees images.
    """
    ordered = sorted(entries, key=lambda entry: (entry.size, entry.name))
    step = max(len(ordered) / _HEADERS, 1.0)
    asked = sorted({*(int(index * step) for index in range(int(len(ordered) / step))), len(ordered) - 1})
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="cellscale-headers") as pool:
        found = dict(zip(asked, pool.map(lambda index: _size(ordered[index], mpp, network), asked), strict=True))
    readable = [index for index in asked if found[index] is not None]
    sizes, guessed = [], 0
    for index in range(len(ordered)):
        if index in found:
            sizes.append(found[index])
        elif readable:
            sizes.append(found[min(readable, key=lambda other: abs(other - index))])
            guessed += 1
    return ImageSizes(
        tuple(size for size in sizes if size is not None),
        tuple(ordered[index].name for index in asked if found[index] is None),
        guessed,
    )


def image_size(
    info: ImageInfo, mpp: float | None = None, file_bytes: int = 0, network: Interface = LIKE_MESMER
) -> ImageSize:
    """Return what an image's header says of the work that it will be for a network."""
    shape = rescaled_shape(info.shape, choose_pixel_size(info, mpp).mpp / network.input_format.mpp)
    groups = method_of_kind(network.kind, network.input_format).groups(shape)
    return ImageSize(
        pixels=info.height * info.width,
        network_pixels=shape[0] * shape[1],
        tiles=groups.grid.count,
        tile_pixels=groups.grid.computed_pixels / groups.grid.count,
        held_bytes=groups.held_bytes,
        channels=len(info.channels),
        file_bytes=file_bytes,
        decoding_bytes=info.decoding_bytes,
        network_mpp=network.input_format.mpp,
    )


def _size(entry: ImageEntry, mpp: float | None, network: Interface) -> ImageSize | None:
    """Return an image's size; None where its run will refuse it and say why."""
    if entry.problem is not None:
        return None
    try:
        with closing(open_entry_image(entry)) as image:
            require_plausible(choose_pixel_size(image.info, mpp), entry.name)
            return image_size(image.info, mpp, entry.size, network)
    except CellscaleError:
        return None
