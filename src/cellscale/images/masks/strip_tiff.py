"""A TIFF of one int32 plane in compressed strips, written as its rows arrive.

tifffile decides between classic TIFF and BigTIFF before the first byte is written, from the uncompressed size; ImageJ
and QuPath read classic TIFF only, and label masks shrink fifty-fold. So the strips are written first, behind room for
either header, and the header and the tags, which are all that differs, when the real size is known. Format: TIFF
Revision 6.0 (Adobe, 1992), and BigTIFF (libtiff's description of it).
"""

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from cellscale.images.info import PixelSize

__all__ = ["StripTiff"]

_HEADER_BYTES = 16
_CLASSIC_LIMIT = 2**32 - 1
_ASCII, _SHORT, _LONG, _RATIONAL, _LONG8 = 2, 3, 4, 5, 16
_ADOBE_DEFLATE = 8


@dataclass(frozen=True, slots=True)
class _Tag:
    code: int
    kind: int
    count: int
    value: bytes


class StripTiff:
    """The file being written.

    Parameters
    ----------
    file
        Seekable, empty.
    shape
        Rows and columns.
    rows_per_strip
        Rows of each strip but the last.
    pixel_size
        µm/px, written as ImageJ writes it, which QuPath and Bio-Formats read too; nothing is written if None.
    """

    def __init__(
        self, file: BinaryIO, shape: tuple[int, int], rows_per_strip: int, pixel_size: PixelSize | None
    ) -> None:
        self._file = file
        self._shape = shape
        self._rows_per_strip = rows_per_strip
        self._pixel_size = pixel_size
        self._offsets: list[int] = []
        self._sizes: list[int] = []
        self._end = _HEADER_BYTES
        file.write(bytes(_HEADER_BYTES))

    def add(self, strip: bytes) -> None:
        """Append a strip, compressed as a zlib stream."""
        self._offsets.append(self._end)
        self._sizes.append(len(strip))
        padding = len(strip) % 2  # offsets are even
        self._file.write(strip + bytes(padding))
        self._end += len(strip) + padding

    def finish(self, *, classic_limit: int = _CLASSIC_LIMIT) -> None:
        """Write tags and header; a BigTIFF where the file would reach ``classic_limit`` bytes."""
        big = self._end + 8 * len(self._offsets) + 1024 > classic_limit
        tags = self._tags(big=big)
        self._file.write(_directory(tags, self._end, big=big))
        self._file.seek(0)
        self._file.write(
            struct.pack("<2sHHHQ", b"II", 43, 8, 0, self._end) if big else struct.pack("<2sHI", b"II", 42, self._end)
        )

    def _tags(self, *, big: bool) -> list[_Tag]:
        height, width = self._shape
        kind = _LONG8 if big else _LONG
        tags = [
            _longs(256, [width]),
            _longs(257, [height]),
            _short(258, 32),
            _short(259, _ADOBE_DEFLATE),
            _short(262, 1),  # zero is black
            _longs(273, self._offsets, kind),
            _short(277, 1),
            _longs(278, [self._rows_per_strip]),
            _longs(279, self._sizes, kind),
            _short(284, 1),
            _text(305, "cellscale"),
            _short(339, 2),  # signed integers
        ]
        if self._pixel_size is not None:
            tags += [
                _text(270, "ImageJ=1.54f\nunit=micron\n"),
                _resolution(282, self._pixel_size.x),
                _resolution(283, self._pixel_size.y),
                _short(296, 1),  # the unit is in the description
            ]
        return sorted(tags, key=lambda tag: tag.code)


def _short(code: int, value: int) -> _Tag:
    return _Tag(code, _SHORT, 1, struct.pack("<H", value))


def _longs(code: int, values: list[int], kind: int = _LONG) -> _Tag:
    return _Tag(code, kind, len(values), np.asarray(values, "<u8" if kind == _LONG8 else "<u4").tobytes())


def _text(code: int, value: str) -> _Tag:
    content = value.encode("ascii") + b"\0"
    return _Tag(code, _ASCII, len(content), content)


def _resolution(code: int, mpp: float) -> _Tag:
    """Return pixels a micrometre as a fraction that gives back the very number, where 32 bits suffice."""
    size = Fraction(repr(mpp))
    for denominator in (2**32 - 1, 2**24, 2**16, 2**8, 1):
        parts = size.limit_denominator(denominator)
        if 0 < parts.numerator < 2**32 and parts.denominator < 2**32:
            return _Tag(code, _RATIONAL, 1, struct.pack("<II", parts.denominator, parts.numerator))
    return _Tag(code, _RATIONAL, 1, struct.pack("<II", 1, min(max(round(mpp), 1), 2**32 - 1)))


def _directory(tags: list[_Tag], offset: int, *, big: bool) -> bytes:
    """Return the image file directory at ``offset``, and behind it the values that are too long for it."""
    count, entry, inline = ("<Q", "<HHQ", 8) if big else ("<H", "<HHI", 4)
    pointer = count if big else "<I"
    size = struct.calcsize(count) + len(tags) * (struct.calcsize(entry) + inline) + inline
    directory, values = [struct.pack(count, len(tags))], b""
    for tag in tags:
        directory.append(struct.pack(entry, tag.code, tag.kind, tag.count))
        if len(tag.value) <= inline:
            directory.append(tag.value.ljust(inline, b"\0"))
            continue
        directory.append(struct.pack(pointer, offset + size + len(values)))
        values += tag.value + bytes(len(tag.value) % 2)
    directory.append(bytes(inline))  # no further image
    return b"".join(directory) + values
