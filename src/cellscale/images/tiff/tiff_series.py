"""Which images a TIFF holds, and which of them is worked on.

tifffile takes each kind of page for an image of its own. Pages without metadata, of one size and stored in different
ways, are made one image here: a channel that another program appended, or whose tags were damaged, would else be left
out.
"""

import math
from typing import Any

import numpy as np

from cellscale.errors import ImageError
from cellscale.images.tiff.tiff_storage import is_photograph
from cellscale.images.tiff.tiff_tags import check_single

__all__ = ["axis_sizes", "choose_series", "image_series", "level_shape", "own_pages", "passed_over"]

_LIKE_SIZE = 0.3
"""Of the largest image's pixels; labels, overviews and the next level of a pyramid are smaller."""

_TARGET = '"channel.target"'
_REDUCED, _TRANSPARENCY = 1, 4
"""Of the tag NewSubfileType: a smaller version of another page, and a mask that says which of its pixels show."""


class _JoinedPages:
    """Pages of several series, as far as a tifffile series is asked."""

    kind = "generic"
    is_multifile = False
    dataoffset = None

    def __init__(self, series: list[Any]) -> None:
        self._pages = sorted((page for one in series for page in one), key=lambda page: page.index)
        self.keyframe = series[0].keyframe
        self.name = series[0].name
        self.dtype: np.dtype[Any] = self.keyframe.dtype
        self.axes = f"Q{self.keyframe.axes}"
        self.shape = (len(self._pages), *self.keyframe.shape)
        self.levels = [self]

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, number: int) -> Any:
        return self._pages[number]


def _joined_pages(series: list[Any], name: str) -> list[Any]:
    """Return the series of a TIFF, with the largest pages that have no metadata as one.

    Parameters
    ----------
    series
        tifffile's series.
    name
        For messages.

    Raises
    ------
    ImageError
        Such pages have one size, and pixels of several types or numbers of samples.
    """
    plain = [one for one in series if _is_plain(one) and _is_whole(one.keyframe)]
    if len(plain) < 2:
        return series
    largest = max(plain, key=lambda one: one.keyframe.imagelength * one.keyframe.imagewidth)
    alike = [one for one in plain if _kind(one.keyframe) == _kind(largest.keyframe)]
    for one in alike:
        expected, found = _pixels(largest.keyframe), _pixels(one.keyframe)
        if expected != found:
            raise ImageError(
                f"{name}: its pages do not agree: {expected} in page {largest[0].index + 1}, {found} in page "
                f"{one[0].index + 1} of the same size: the file is damaged, or holds several images: save each, with "
                f"all its channels, as a file of its own"
            )
    if len(alike) < 2:
        return series
    return [_JoinedPages(alike) if one is alike[0] else one for one in series if one not in alike[1:]]


def _is_plain(series: Any) -> bool:
    """Return whether pages are described by themselves alone; MIBI's each give tifffile's shape, and their target."""
    is_target = series.kind == "shaped" and len(series) == 1 and _TARGET in series.keyframe.description
    return series.kind == "generic" or is_target


def _is_whole(page: Any) -> bool:
    return not int(page.subfiletype) & (_REDUCED | _TRANSPARENCY)


def _kind(page: Any) -> tuple[int, int, int]:
    return int(page.imagelength), int(page.imagewidth), int(page.photometric)


def _pixels(page: Any) -> str:
    return f"{page.bitspersample} bits ({page.dtype}) and {page.samplesperpixel} values a pixel"


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
    return _joined_pages(found, name)


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
    if any(map(_area, series)) and max(sizes) == 0:
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


def _area(series: Any) -> int:
    rows, columns = level_shape(series)
    return rows * columns


def _sizes(tiff: Any, series: list[Any]) -> list[int]:
    """Return the pixels of each image; 0 for those that begin in another file."""
    return [_area(one) if one[0] is None or _is_in(one[0], tiff) else 0 for one in series]


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
            f"a colour picture of {_area(one):,} pixels, larger than the scan, is passed over" for one in larger[:1]
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
