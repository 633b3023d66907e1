"""Where a TIFF keeps the pixels of each channel, from its tags and metadata alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellscale.errors import ImageError
from cellscale.images.info import INTENSITY_TYPES
from cellscale.images.tiff.tiff_series import axis_sizes, level_shape
from cellscale.images.tiff.tiff_storage import Storage, check_alike, own_page, storage_of
from cellscale.images.tiff.tiff_tags import check_list_types
from cellscale.storage.ranges import RangeReader

__all__ = [
    "READABLE_TYPES",
    "Level",
    "Plane",
    "level_of",
    "truncated_text",
    "widened",
]

_AXIS_NAMES = {
    "Z": "focal planes (Z)",
    "T": "time points (T)",
    "P": "positions (P)",
    "A": "angles (A)",
    "M": "mosaic tiles (M)",
    "R": "tiles or resolutions (R)",
    "H": "phases or lifetimes (H)",
    "E": "excitation wavelengths (E)",
    "L": "exposures (L)",
}
READABLE_TYPES = INTENSITY_TYPES | {"float16"}
"""Types of pixel that a file may have: half floats are read as float32, in which all else is computed."""
_ALL_PAGES_TAGGED = frozenset({"ome", "uniform", "generic"})
"""Kinds of series of which each page has tags; of others (ImageJ, tifffile) only the first may, where the pixels lie
one after the other."""

Source = Callable[[Any], RangeReader]
"""Gives the open file that a page is in."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Where the pixels of one channel are."""

    page: Any
    """tifffile's TiffPage or TiffFrame."""

    number: int
    """Position of the page in its level."""

    first_segment: int
    """Index of the plane's first segment in its page; not 0 where samples are stored one after the other."""

    sample: int
    """Position of the channel in each decoded pixel."""

    source: RangeReader
    storage: Storage
    raw_offset: int | None
    """Byte of the first pixel, where the whole plane is stored without compression and gaps."""

    tagged: bool
    """The page has tags of its own, which list its segments."""


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of an image."""

    planes: tuple[Plane, ...]
    """One for each channel; of one size and type, but not always stored alike."""

    @property
    def storage(self) -> Storage:
        """How the first plane is stored."""
        return self.planes[0].storage

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a pixel that is read, in native byte order."""
        return widened(self.storage.stored)


def widened(stored: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that stored pixels are read as, in native byte order."""
    return np.dtype(np.float32) if stored.kind == "f" and stored.itemsize == 2 else stored.newbyteorder("=")


def _check_axes(series: Any, name: str) -> None:
    more = [(axis, size) for axis, size in axis_sizes(series) if axis not in "YXCS" and size > 1]
    # Q and I are the pages of a file that does not say what its pages are: they are taken for channels.
    pages = [axis for axis, _ in more if axis in "QI"]
    for axis, size in more:
        if axis in pages and len(pages) == 1:
            continue
        found = _AXIS_NAMES.get(axis, f"positions along axis {axis}")
        cure = f"; if they are its channels, give --channel_axis {axis}" if axis in "ZT" else ""
        raise ImageError(
            f"{name}: {size} {found} found, one expected: cellscale reads two-dimensional images with channels; "
            f"save one of them, or a projection, as an image of its own{cure}"
        )


def level_of(series: Any, source: Source, types: frozenset[str], name: str, *, inverts: bool = False) -> Level:
    """Lay out one level of a tifffile series.

    Parameters
    ----------
    series
        The tifffile series of the level.
    source
        Gives the open file that a page is in.
    types
        The types of pixel that are accepted.
    name
        For messages.
    inverts
        Read numbers that fall with brightness as if they rose.

    Raises
    ------
    ImageError
        The image has more than channels, rows and columns, is a colour image, or has pixels that cannot be read.
    """
    _check_axes(series, name)
    pages, start, tagged = _pages(series, name)
    known: dict[tuple[int, float], Storage] = {}
    storages = []
    for number, page in enumerate(pages):
        own = own_page(page)
        if tagged or number == 0:
            check_list_types(own, name)
        key = (own.hash, own.nodata)
        if key not in known:
            known[key] = storage_of(own, types, name, inverts=inverts)
            check_alike(next(iter(known.values())), known[key], number, name)
        storages.append(known[key])
        if own.hash != page.keyframe.hash:
            pages[number] = own  # a frame takes over from its keyframe how many bytes its segments have
    return Level(_planes(pages, storages, start if len(known) == 1 else None, source, tagged=tagged))


def _pages(series: Any, name: str) -> tuple[list[Any], int | None, bool]:
    """Return the page of each plane, the first byte of pixels without gaps, and whether each page has tags."""
    start = None if series.is_multifile else series.dataoffset
    count = _declared(series, name)
    if start is not None and series.kind not in _ALL_PAGES_TAGGED:
        _check_room(series, start, name)
        return [series[0]] * count, start, False
    if count != len(series):
        raise ImageError(
            f"{name}: its description declares {count:,} planes, {len(series):,} are there: the file is damaged, or "
            f"was put together from others; write it again in one go"
        )
    pages = [series[number] for number in range(len(series))]
    if None in pages:
        raise ImageError(
            f"{name}: plane {pages.index(None) + 1} of {len(series)} is in a file that cannot be found: keep the "
            f"files of a multi-file OME-TIFF together in one folder of a disk, or write them as one"
        )
    one_file = all(page.parent is pages[0].parent for page in pages)  # levels of a pyramid do not say so
    return pages, start if one_file else None, True


def _declared(series: Any, name: str) -> int:
    """Return how many pages the sizes of a series' axes are made of."""
    page = series.keyframe
    shape = int(page.imagelength), int(page.imagewidth)
    if level_shape(series) != shape:
        axes, sizes = zip(*axis_sizes(series), strict=True)
        raise ImageError(
            f"{name}: axes {''.join(axes)} of sizes {' x '.join(map(str, sizes))} declared and pages of "
            f"{shape[0]} x {shape[1]} pixels (rows x columns) found: write the image again with a page for each "
            f"channel (axes CYX)"
        )
    values = math.prod(size for _, size in axis_sizes(series))
    return values // max(shape[0] * shape[1] * int(page.samplesperpixel), 1)


def _check_room(series: Any, start: int, name: str) -> None:
    """Check that pixels without gaps fit into their file, before a list is made of them."""
    size = series[0].parent.filehandle.size
    end = start + math.prod(found for _, found in axis_sizes(series)) * series.dtype.itemsize
    if end > size:
        raise ImageError(truncated_text(name, size, end))


def truncated_text(name: str, size: int, end: int) -> str:
    """Return the message for a file that ends before its pixels do."""
    return (
        f"{name}: the file is truncated: it has {size:,} bytes and its pixels reach to byte {end:,}; copy or "
        f"download it again"
    )


def _planes(
    pages: list[Any], storages: list[Storage], start: int | None, source: Source, *, tagged: bool
) -> tuple[Plane, ...]:
    planes = []
    for number, (page, storage) in enumerate(zip(pages, storages, strict=True)):
        samples = int(storage.keyframe.samplesperpixel)
        separate = int(storage.keyframe.planarconfig) != 1
        for sample in range(samples):
            group = number * samples + sample if separate else number
            planes.append(
                Plane(
                    page=page,
                    number=number,
                    first_segment=sample * storage.grid.count if separate else 0,
                    sample=0 if separate else sample,
                    source=source(page),
                    storage=storage,
                    raw_offset=None if start is None else start + group * storage.plane_bytes,
                    tagged=tagged,
                )
            )
    return tuple(planes)
