"""Where a TIFF keeps the pixels of each channel, from its tags and metadata alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellscale.errors import ImageError
from cellscale.images.info import INTENSITY_TYPES
from cellscale.images.tiff.tiff_pages import joined_pages
from cellscale.images.tiff.tiff_storage import Storage, check_alike, is_photograph, own_page, storage_of
from cellscale.images.tiff.tiff_tags import check_list_types, check_single
from cellscale.storage.ranges import RangeReader

__all__ = [
    "READABLE_TYPES",
    "Level",
    "Plane",
    "axis_sizes",
    "choose_series",
    "image_series",
    "level_of",
    "level_shape",
    "own_pages",
    "passed_over",
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
_LIKE_SIZE = 0.3
"""Of the largest image's pixels; labels, overviews and the next level of a pyramid are smaller."""

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


def image_series(tiff: Any, name: str) -> list[Any]:
    """Return the series of an open tifffile.TiffFile.

    Raises
    ------
    ImageError
        Pages of one image are cut into segments so differently that they cannot be read as one.
    """
    if tiff.is_ome:
        own_pages(tiff, name)
    try:
        # Since tifffile 2026.5.2 the series are called for all their axes; before, each series was asked for its own.
        found = list(tiff.series(squeeze=False) if callable(tiff.series) else tiff.series)
    except RuntimeError as error:
        raise ImageError(
            f"{name}: pages of one image differ in size, or are cut into tiles or strips of different sizes "
            f"({error}): the file was put together from several, or is damaged; write it again in one go"
        ) from error
    for one in found:
        check_single(one.keyframe, name)
    return joined_pages(found, name)


def own_pages(tiff: Any, name: str) -> None:
    """Read all pages of an open tifffile.TiffFile with their own tags; it would read the first one's into all.

    Raises
    ------
    ImageError
        A page has several numbers for what has to be one.
    """
    tiff.pages.cache, tiff.pages.useframes = True, False
    for page in tiff.pages:
        check_single(page, name)


def choose_series(tiff: Any, series: list[Any], name: str) -> int:
    """Return the index of the series with the most pixels; the first of equals.

    Of a set of OME-TIFFs each file may describe all images; those count here whose first plane is in this file.

    Raises
    ------
    ImageError
        There is no image in the file, or only planes of an image that begins in another one.
    """
    sizes = _sizes(tiff, series)
    if any(map(_pixels, series)) and max(sizes) == 0:
        first = series[0][0].parent.filehandle.name
        raise ImageError(
            f"{name}: one of several files of one image (a multi-file OME-TIFF), which begins in {first}: that file "
            f"is worked on, with the planes of all; leave them together and choose it with --image_filter"
        )
    if not sizes or max(sizes) == 0:
        raise ImageError(f"{name}: the file holds no image: it is damaged or was not written to the end")
    largest = sizes.index(max(sizes))
    if not is_photograph(series[largest].keyframe):
        return largest
    # A colour picture of the slide may be larger than what was scanned of it; a scan has several channels.
    scans = [size if _is_scan(one) else 0 for one, size in zip(series, sizes, strict=True)]
    return scans.index(max(scans)) if max(scans) else largest


def _is_scan(series: Any) -> bool:
    planes = math.prod(size for axis, size in axis_sizes(series) if axis not in "YX")
    return planes > 1 and not is_photograph(series.keyframe)


def _pixels(series: Any) -> int:
    rows, columns = level_shape(series)
    return rows * columns


def _sizes(tiff: Any, series: list[Any]) -> list[int]:
    """Return the pixels of each image; 0 for those that begin in another file."""
    return [_pixels(one) if one[0] is None or _is_in(one[0], tiff) else 0 for one in series]


def _is_in(page: Any, tiff: Any) -> bool:
    # tifffile opens a file once more that calls itself by two identifiers.
    return page.parent is tiff or page.parent.filehandle.path == tiff.filehandle.path


def passed_over(tiff: Any, series: list[Any], chosen: int) -> tuple[str, ...]:
    """Return a warning where a file holds further images that are not much smaller than the chosen one."""
    sizes = _sizes(tiff, series)
    pictures: tuple[str, ...] = ()
    if not is_photograph(series[chosen].keyframe):
        larger = [one for one, size in zip(series, sizes, strict=True) if size > sizes[chosen]]
        pictures = tuple(
            f"a colour picture of {_pixels(one):,} pixels, larger than the scan, is passed over" for one in larger[:1]
        )
        sizes = [0 if is_photograph(one.keyframe) else size for one, size in zip(series, sizes, strict=True)]
    like = [index for index, size in enumerate(sizes) if size >= _LIKE_SIZE * sizes[chosen]]
    if len(like) < 2:
        return pictures
    name = f" ({series[chosen].name})" if series[chosen].name else ""
    return (
        *pictures,
        f"the file holds {len(like)} images of like size; only image {like.index(chosen) + 1}{name} is worked on: "
        f"save the others as files of their own, or, if they are its channels, all as one image",
    )


def axis_sizes(series: Any) -> list[tuple[str, int]]:
    """Return letter and size of each axis of a series, those of size 1 included; a letter may occur twice."""
    if hasattr(series, "get_axes"):  # tifffile before 2026.5.2
        axes, shape = series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    else:
        axes, shape = series.axes, series.shape
    return [(axis, int(size)) for axis, size in zip(axes, shape, strict=True)]


def level_shape(series: Any) -> tuple[int, int]:
    """Return rows and columns of a series."""
    sizes = dict(axis_sizes(series))
    return sizes.get("Y", 0), sizes.get("X", 0)


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
