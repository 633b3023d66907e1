"""Whether a TIFF's tags and pages are all there.

tifffile reads what is left of a truncated file: pages and tags that point behind the end are silently left out, and
an image of three channels becomes one of one. So the chain of pages is followed first. Format: TIFF Revision 6.0
(Adobe, 1992), and BigTIFF.
"""

import html
import json
import math
import re
import struct
from collections.abc import Iterator
from typing import Any

from cellscale.errors import ImageError
from cellscale.images.image_names import TIFF_SUFFIXES
from cellscale.images.tiff.tiff_series import axis_sizes

__all__ = ["check_described", "check_structure", "not_a_tiff"]

_ELSEWHERE = re.compile(r"""<(?:\w+:)?BinaryOnly\s[^>]*?\bMetadataFile\s*=\s*(["'])(.*?)\1""")
"""OME-XML of a file that holds pixels of an image that another file describes."""

_OTHERS = (
    (rb"version https://git-lfs", "a pointer of Git LFS, which stands for the file: fetch it with 'git lfs pull'"),
    (
        rb"(\xef\xbb\xbf)?\s*(?i:<!doctype html|<html)",
        "a page of a website, such as its login: download the file again",
    ),
    (rb"PK\x03\x04", "a ZIP archive: unpack it"),
    (rb"\x1f\x8b", "compressed by gzip: unpack it with gunzip"),
    (rb"\x89PNG", "a PNG picture: save the image as OME-TIFF"),
    (rb"\xff\xd8\xff", "a JPEG picture: save the image as OME-TIFF"),
    (rb"\x89HDF", "HDF5 (as Imaris has it): convert it to OME-TIFF"),
    (rb"ZISRAWFILE", "Zeiss CZI: convert it to OME-TIFF"),
    (rb"\xda\xce\xbe\x0a|\x00\x00\x00\x0cjP", "Nikon ND2 or JPEG 2000: convert it to OME-TIFF"),
)
"""First bytes of what is found under names of TIFFs, what it is, and what to do."""

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NEEDED = {256, 257, 258, 259, 262, 270, 273, 277, 278, 279, 284, 322, 323, 324, 325, 330, 339}
"""Tags without which the image is not what it was: size, type, segments, pyramid, and the description."""


def check_structure(tiff: Any, name: str) -> None:
    """Check that every page, and every tag that matters, lies inside the file.

    Parameters
    ----------
    tiff
        The open tifffile.TiffFile.
    name
        For messages.

    Raises
    ------
    ImageError
        A page or tag lies behind the end of the file, or the pages go in a circle.
    """
    size = tiff.filehandle.size
    for end, what in _extents(tiff, name):
        if end > size:
            raise ImageError(
                f"{name}: the file is truncated: it has {size:,} bytes, and {what} reaches to byte {end:,}; copy or "
                f"download it again"
            )


def not_a_tiff(first: bytes, name: str, said: Exception) -> ImageError:
    """Return the error of a file that does not begin as a TIFF does.

    Parameters
    ----------
    first
        Its first bytes, 64 or all.
    name
        For messages.
    said
        What tifffile says of it.
    """
    for pattern, text in _OTHERS:
        if re.match(pattern, first):
            return ImageError(f"{name}: not a TIFF file, but {text}")
    return ImageError(f"{name}: not a TIFF file, or a damaged one ({said}): copy or download it again")


def _extents(tiff: Any, name: str) -> Iterator[tuple[int, str]]:
    """Yield where each page's tags and their values end, and what they are."""
    order = tiff.byteorder
    head, entry, pointer = (
        order + form for form in (("Q", "HHQ8s", "Q") if tiff.is_bigtiff else ("H", "HHI4s", "I"))
    )
    file = tiff.filehandle
    file.seek(8 if tiff.is_bigtiff else 4)
    (offset,) = struct.unpack(pointer, file.read(struct.calcsize(pointer)))
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise ImageError(
                f"{name}: its list of pages goes in a circle (page {len(seen) + 1} is an earlier one): it is damaged"
            )
        seen.add(offset)
        what = f"page {len(seen)}"
        yield offset + struct.calcsize(head), what
        file.seek(offset)
        (count,) = struct.unpack(head, file.read(struct.calcsize(head)))
        size = count * struct.calcsize(entry) + struct.calcsize(pointer)
        yield file.tell() + size, what
        content = file.read(size)
        yield from _values(content[: count * struct.calcsize(entry)], entry, pointer, what)
        (offset,) = struct.unpack(pointer, content[-struct.calcsize(pointer) :])


def _values(content: bytes, entry: str, pointer: str, what: str) -> Iterator[tuple[int, str]]:
    for code, kind, count, value in struct.iter_unpack(entry, content):
        size = count * _TYPE_BYTES.get(kind, 0)
        if code in _NEEDED and size > len(value):
            yield struct.unpack(pointer, value)[0] + size, f"tag {code} of {what}"


def check_described(tiff: Any, series: Any, name: str) -> None:
    """Check that metadata that describe the image's axes were understood.

    Raises
    ------
    ImageError
        There is OME-XML, or a description of ImageJ or tifffile, and the file is not what it says.
    """
    if series.kind == "shaped":
        _check_shaped(series, name)
    if series.kind not in {"generic", "uniform"}:
        return
    description = tiff.pages.first.description
    _check_not_elsewhere(description, name)
    for mark, what in (("<OME", "OME-XML"), ("ImageJ=", "ImageJ description")):
        if mark in description[:2000]:
            raise ImageError(
                f"{name}: its {what} is damaged, or describes an image that is not in this file: copy or download it "
                f"again, with all files that belong to it"
            )


def _check_shaped(series: Any, name: str) -> None:
    """Check that tifffile's own description is of as many pixels as the series has."""
    try:
        described = json.loads(series.keyframe.description)["shape"]
        values = math.prod(described)
    except (ValueError, TypeError, KeyError):
        return  # of an early version, which wrote no JSON
    found = [size for _, size in axis_sizes(series)]
    if values != math.prod(found):
        raise ImageError(
            f"{name}: its description declares an array of {' x '.join(map(str, described))}, its pages make one of "
            f"{' x '.join(map(str, found))}: the file is damaged, or was put together from others; write it again in "
            f"one go"
        )


def _check_not_elsewhere(description: str, name: str) -> None:
    found = _ELSEWHERE.search(description)
    if found is None:
        return
    other = html.unescape(found[2])
    if other.lower().endswith(TIFF_SUFFIXES):
        raise ImageError(
            f"{name}: one of several files of one image (a multi-file OME-TIFF), which {other} describes: that file "
            f"is worked on, with the planes of all; leave them together and choose it with --image_filter"
        )
    raise ImageError(
        f"{name}: its OME-XML is in a file of its own, {other}, which cellscale does not read: save the image as one "
        f"OME-TIFF"
    )
