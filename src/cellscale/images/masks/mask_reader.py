"""Reading label masks, from cellscale or any other tool."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import CodecError, ImageError, MaskError
from cellscale.images.image_names import is_zarr
from cellscale.images.info import Image, ImageInfo
from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.images.tiff.tiff_layout import READABLE_TYPES
from cellscale.regions import Region
from cellscale.storage.uri import Location, base_name

if TYPE_CHECKING:
    from cellscale.images.zarr.ome_zarr import OmeZarrImage

__all__ = ["Mask", "open_mask", "whole_labels"]

_LABEL_TYPES = READABLE_TYPES | {"bool", "int64", "uint64"}


class Mask:
    """A label mask, read by region from any thread.

    Parameters
    ----------
    image
        The image that holds the labels, in its only channel.
    warnings
        What the user should know of the file.
    """

    def __init__(self, image: Image, warnings: tuple[str, ...] = ()) -> None:
        self._image = image
        self.warnings = warnings

    @property
    def info(self) -> ImageInfo:
        """Facts of the file; its dtype is that of the stored labels."""
        return self._image.info

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.info.shape

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region, 0 where there is no object.

        Raises
        ------
        MaskError
            There are negative numbers, fractions, NaN, or numbers above 2^31 - 1.
        """
        return whole_labels(self._image.read((0,), region)[0], self.info.name)

    def close(self) -> None:
        """Release the file."""
        self._image.close()

    def __enter__(self) -> "Mask":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def whole_labels(stored: NDArray[Any], name: str) -> NDArray[np.int32]:
    """Return labels of any type as int32.

    Parameters
    ----------
    stored
        Labels of any shape.
    name
        The mask, for messages.

    Raises
    ------
    MaskError
        There are negative numbers, fractions, NaN, or numbers above 2^31 - 1.
    """
    if stored.dtype.kind == "f":
        odd = stored[(stored != np.floor(stored)) | ~np.isfinite(stored)]
        if odd.size:
            raise _refused(name, f"the value {odd[0]:g}", "whole numbers from 0 on")
    elif stored.dtype.kind not in "uib":
        raise _refused(name, f"the type {stored.dtype}", "whole numbers from 0 on")
    if stored.dtype != np.int32 and stored.size:
        for extreme in (np.min(stored), np.max(stored)):
            if not -(2**31) <= extreme < 2**31:
                raise _refused(name, f"label {extreme}", "labels below 2^31")
    labels: NDArray[np.int32] = stored.astype(np.int32, copy=False)
    if labels.size and (lowest := np.min(labels)) < 0:
        raise _refused(name, f"label {lowest}", "whole numbers from 0 on")
    return labels


def _refused(name: str, found: str, expected: str) -> MaskError:
    return MaskError(f"{name}: {found} found in the mask; {expected} expected: it is not a label mask")


def open_mask(
    location: Location,
    *,
    expect_shape: tuple[int, int] | None = None,
    cache_bytes: int = 64 * 2**20,
    scratch: Path | None = None,
) -> Mask:
    """Open a label mask: a TIFF of integers or whole floats, in tiles or strips, or an OME-Zarr label image.

    Parameters
    ----------
    location
        Path or URI; of an OME-Zarr, the folder of the label image itself.
    expect_shape
        Rows and columns of the image that it belongs to.
    cache_bytes
        Memory for decoded labels that the next read may need.
    scratch
        Folder for scratch files.

    Raises
    ------
    MaskError
        It is damaged, a colour picture, has several channels, another size than the image, or was compressed so that
        numbers changed.
    StorageError
        It is not there or cannot be read.
    """
    name = base_name(location)
    try:
        image = _open(location, cache_bytes, scratch)
    except CodecError:  # whatever it holds
        raise
    except ImageError as error:
        raise MaskError(f"not a label mask: {error}") from error
    with ExitStack() as opened:
        opened.callback(image.close)
        change, compression = image.change
        problem = _problem(image.info, expect_shape, compression if change == "certain" else "")
        if problem:
            raise MaskError(f"{name}: {problem}")
        opened.pop_all()
    warning = (
        f"{name} is compressed as {compression}, which may have changed numbers: if it did, labels are not those "
        "that were given; save it uncompressed or with LZW, deflate or Zstandard to be certain"
    )
    return Mask(image, (warning,) if change == "possible" else ())


def _problem(info: ImageInfo, expect_shape: tuple[int, int] | None, changed_by: str) -> str:
    """Return why an image is not the label mask that it should be; empty where it is.

    Parameters
    ----------
    info
        Facts of the file.
    expect_shape
        Rows and columns of the image that it belongs to.
    changed_by
        The compression that changed its numbers.
    """
    if changed_by:
        return (
            f"compressed as {changed_by}, which changed numbers, so that its labels are not those that were given; "
            "save it again from its source, uncompressed or with LZW, deflate or Zstandard"
        )
    if len(info.channels) != 1:
        return f"{len(info.channels)} channels found in the mask, one expected"
    if expect_shape is not None and info.shape != expect_shape:
        return (
            f"the mask has {info.height} x {info.width} pixels (rows x columns) and its image "
            f"{expect_shape[0]} x {expect_shape[1]}: it belongs to another image, or was made at another resolution"
        )
    return ""


def _open(location: Location, cache_bytes: int, scratch: Path | None) -> "TiffImage | OmeZarrImage":
    if is_zarr(location):
        from cellscale.images.zarr.ome_zarr import OmeZarrImage  # zarr need not load for TIFF masks

        return OmeZarrImage(location, types=_LABEL_TYPES, may_be_blank=True)
    return TiffImage(location, cache_bytes=cache_bytes, scratch=scratch, types=_LABEL_TYPES, inverts=False)
