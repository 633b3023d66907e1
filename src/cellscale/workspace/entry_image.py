"""Opening an image of a dataset as the user asks: with names of channels from a list, and an axis of channels."""

from cellscale.images.info import Image, PixelSize
from cellscale.images.open import open_image
from cellscale.workspace.discovery import ImageEntry

__all__ = ["open_entry_image"]


def open_entry_image(
    entry: ImageEntry, *, pixel_size: PixelSize | None = None, cache_bytes: int = 128 * 2**20
) -> Image:
    """Open an image's file, or its NPZ file where there is no other.

    Parameters
    ----------
    entry
        The image.
    pixel_size
        µm/px to use instead of the file's.
    cache_bytes
        Memory for decoded pixels that the next read may need.

    Raises
    ------
    ImageError
        The file is damaged, is none that can be processed, or has not as many channels as are listed.
    StorageError
        It is not there or cannot be read.
    """
    if entry.image is None:
        assert entry.npz is not None, "an entry has an image or an NPZ file"
        return open_image(entry.npz, pixel_size=pixel_size, cache_bytes=cache_bytes)
    return open_image(
        entry.image,
        channel_names=entry.channel_names,
        channel_axis=entry.channel_axis,
        pixel_size=pixel_size,
        cache_bytes=cache_bytes,
    )
