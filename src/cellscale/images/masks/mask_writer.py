"""Writing label masks: int32 TIFF in strips, as ImageJ and QuPath open them."""

from collections.abc import Iterable, Iterator
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cellscale.images.info import PixelSize
from cellscale.images.masks.strip_tiff import StripTiff
from cellscale.ordered import in_order
from cellscale.regions import Region, RegionReader
from cellscale.storage.atomic import atomic_write
from cellscale.storage.uri import Location

__all__ = ["row_bands", "write_mask"]

_STRIP_BYTES = 2**20
_BAND_BYTES = 32 * 2**20
_LEVEL = 6
"""Of libdeflate; on labels it is as fast as level 1 and half the size (145 Mpx/s a core, 0.04 bytes a pixel)."""


def row_bands(reader: RegionReader, shape: tuple[int, int], rows: int) -> Iterator[NDArray[Any]]:
    """Read an image from top to bottom in bands over its whole width, ``rows`` high."""
    for top in range(0, shape[0], rows):
        yield reader(Region(top, 0, min(top + rows, shape[0]), shape[1]))


def write_mask(
    location: Location,
    rows: RegionReader | Iterable[NDArray[Any]],
    shape: tuple[int, int],
    pixel_size: PixelSize | None = None,
    *,
    workers: int = 1,
) -> None:
    """Write a label mask as a TIFF: int32, deflate, strips, with µm/px.

    Classic TIFF while it fits (4 GB, compressed), which ImageJ and QuPath open; BigTIFF beyond. The same labels give
    the same bytes, whatever the bands and workers. The file appears when it is whole.

    Parameters
    ----------
    location
        Path or URI; the folder must exist.
    rows
        A reader of the labels; or bands of rows over the whole width, from top to bottom, of any heights.
    shape
        Rows and columns.
    pixel_size
        µm/px; left out of the file if None.
    workers
        Threads that compress.

    Raises
    ------
    StorageError
        The file cannot be written.
    ValueError
        The bands do not add up to ``shape``, or a label does not fit 31 bits.
    """
    row_bytes = 4 * shape[1]
    if callable(rows):
        rows = row_bands(rows, shape, max(1, _BAND_BYTES // row_bytes))
    rows_per_strip = min(shape[0], max(1, _STRIP_BYTES // row_bytes))
    with atomic_write(location) as file:
        tiff = StripTiff(file, shape, rows_per_strip, pixel_size)
        for strip in in_order(_compress, _strips(rows, shape, rows_per_strip), workers):
            tiff.add(strip)
        tiff.finish()


def _strips(bands: Iterable[NDArray[Any]], shape: tuple[int, int], height: int) -> Iterator[NDArray[np.int32]]:
    """Cut bands of any heights into strips of one height."""
    strip = np.empty((height, shape[1]), "<i4")
    filled = written = 0
    rest: NDArray[Any]
    for band in bands:
        rest = _labels(band, shape[1])
        while len(rest):
            part = rest[: height - filled]
            strip[filled : filled + len(part)] = part
            filled, rest = filled + len(part), rest[len(part) :]
            if filled == height:
                yield strip
                written, filled, strip = written + height, 0, np.empty_like(strip)
    if filled:
        yield strip[:filled]
    if written + filled != shape[0]:
        raise ValueError(f"bands of {written + filled} rows in all for a mask of {shape[0]} rows")


def _labels(band: NDArray[Any], width: int) -> NDArray[Any]:
    labels: NDArray[Any] = band.reshape(band.shape[-2:])
    if labels.shape[1] != width:
        raise ValueError(f"a band of {labels.shape[1]} columns for a mask of {width}")
    if labels.size and not np.can_cast(labels.dtype, np.int32) and int(labels.max()) >= 2**31:
        raise ValueError(f"label {labels.max()} does not fit 31 bits")
    return labels


def _compress(strip: NDArray[np.int32]) -> bytes:
    return bytes(imagecodecs.deflate_encode(strip.tobytes(), level=_LEVEL, raw=False))
