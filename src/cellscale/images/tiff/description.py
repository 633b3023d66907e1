"""Writing the description of a TIFF's first page, where OME-XML is, without touching a pixel.

The new text is put behind the end of the file, and then the entry of the tag is made to point there: 8 bytes of a
classic TIFF, 16 of a BigTIFF. Until those are written the file is what it was.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import tifffile

from cellscale.errors import ImageError

__all__ = ["TagPlace", "place_of", "segments", "unless_failed", "write_description"]

_TAG, _ASCII = 270, 2


@dataclass(frozen=True, slots=True)
class TagPlace:
    """Where the entry of the tag is."""

    offset: int
    """Byte of its count and value, behind code and type."""

    form: str
    """Of both, for `struct`."""


def place_of(tiff: Any, name: str) -> TagPlace:
    """Return where the first page of an open tifffile.TiffFile has its description.

    Raises
    ------
    ImageError
        It has none, or one that is no text.
    """
    tag = tiff.pages.first.tags.get(_TAG)
    if tag is None or int(tag.dtype) != _ASCII:
        raise ImageError(f"{name}: no description found in its first page; one with OME-XML expected")
    return TagPlace(int(tag.offset) + 4, tiff.byteorder + ("QQ" if tiff.is_bigtiff else "II"))


def write_description(file: BinaryIO, place: TagPlace, text: str, name: str) -> None:
    """Write a description into an open TIFF.

    Parameters
    ----------
    file
        Open for reading and writing, and nobody else's meanwhile.
    place
        As of `place_of`.
    text
        The description.
    name
        The file, for messages.

    Raises
    ------
    ImageError
        A classic TIFF has no room left below 4 GB.
    OSError
        It cannot be written.
    """
    content = text.encode("utf-8") + b"\0"
    size = file.seek(0, os.SEEK_END)
    start = size + size % 2
    try:
        entry = struct.pack(place.form, len(content), start)
    except struct.error as error:
        raise ImageError(
            f"{name}: there is no room for a description in this classic TIFF of 4 GB: write it again as BigTIFF"
        ) from error
    file.write(b"\0" * (start - size) + content)
    file.flush()
    os.fsync(file.fileno())
    file.seek(place.offset)
    file.write(entry)
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def unless_failed(file: BinaryIO, place: TagPlace) -> Iterator[None]:
    """Give an open TIFF its earlier description and size back where the body fails."""
    size = file.seek(0, os.SEEK_END)
    file.seek(place.offset)
    entry = file.read(struct.calcsize(place.form))
    try:
        yield
    except BaseException:
        file.seek(place.offset)
        file.write(entry)
        file.flush()
        file.truncate(size)
        raise


def segments(file: Any) -> list[tuple[Any, ...]]:
    """Return of each page of a TIFF all that its pixels are made of but their bytes."""
    with tifffile.TiffFile(file) as tiff:
        tiff.pages.useframes = False
        return [
            (
                page.shape,
                str(page.dtype),
                int(page.compression),
                int(page.predictor),
                tuple(page.dataoffsets),
                tuple(page.databytecounts),
            )
            for page in tiff.pages
        ]
