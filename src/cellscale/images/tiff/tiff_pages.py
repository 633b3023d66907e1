"""Pages of a TIFF without metadata, of one size and stored in different ways, as one image.

tifffile takes each kind of page for an image of its own, so that a channel that another program appended, or whose
tags were damaged, would be left out.
"""

from typing import Any

import numpy as np

from cellscale.errors import ImageError

__all__ = ["joined_pages"]

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


def joined_pages(series: list[Any], name: str) -> list[Any]:
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
