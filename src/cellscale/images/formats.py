"""The readers of cellscale's own formats, as `cellscale.images.readers.Reader` has them."""

from pathlib import Path

from cellscale.images.info import ChannelAxis, Image
from cellscale.storage.uri import Location

__all__ = ["read_npz", "read_tiff", "read_zarr"]


def read_tiff(
    location: Location, *, channel_axis: ChannelAxis | None = None, cache_bytes: int, scratch: Path | None
) -> Image:
    """Open an OME-TIFF, or an ImageJ or plain TIFF."""
    from cellscale.images.tiff.tiff_image import TiffImage

    return TiffImage(location, channel_axis=channel_axis, cache_bytes=cache_bytes, scratch=scratch)


def read_zarr(
    location: Location, *, channel_axis: ChannelAxis | None = None, cache_bytes: int, scratch: Path | None
) -> Image:
    """Open an OME-Zarr; the library that reads it keeps what it decoded nowhere."""
    from cellscale.images.zarr.ome_zarr import OmeZarrImage

    return OmeZarrImage(location, channel_axis=channel_axis)


def read_npz(
    location: Location, *, channel_axis: ChannelAxis | None = None, cache_bytes: int, scratch: Path | None
) -> Image:
    """Open an NPZ file with a nucleus and a membrane channel."""
    from cellscale.images.npz import open_npz

    return open_npz(location, scratch=scratch)
