"""Whether the tiles or strips that a page of a TIFF lists can be those of its image.

A list that was damaged, or tags of another page, would give blank or wrong pixels without a word: tifffile takes a
segment of no bytes for one that was left out, cuts off what a decoder gives too much, and starts decoding whatever a
tag claims.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TIFF

from cellscale.errors import ImageError
from cellscale.images.tiff.tiff_layout import Level, Plane, truncated_text
from cellscale.images.tiff.tiff_storage import Grid, Storage
from cellscale.images.tiff.tiff_tags import OWN_BITS

__all__ = ["check_decompressed", "check_lists"]

_RATIOS = {5: 3000, 8: 1100, 32946: 1100, 32773: 65}
"""Bytes of pixels that LZW, deflate and PackBits can make of one byte, at most."""

_LZW = 5

_CCITT = {2, 3, 4}
"""Compressions of fax, whose decoders are given rows and columns and make no more of them."""

_SLACK = 16
"""Bytes that an uncompressed segment may have too many: some programs begin each at an even address."""


def check_lists(level: Level, name: str) -> None:
    """Check that all segments of a level lie in their files and can hold their pixels, without reading any.

    Raises
    ------
    ImageError
        Segments are missing, are too small or too large for their pixels, or the file ends before them.
    """
    checked = set()
    for plane in level.planes:
        key = plane.number, plane.first_segment
        if plane.raw_offset is not None:
            _check_end(plane.raw_offset + plane.storage.plane_bytes, plane, name)
        if key not in checked and (plane.raw_offset is None or plane.tagged or len(level.planes) == 1):
            checked.add(key)
            _check_plane(plane, name)


def _check_end(end: int, plane: Plane, name: str) -> None:
    if end > plane.source.size:
        raise ImageError(truncated_text(name, plane.source.size, end))


def _check_plane(plane: Plane, name: str) -> None:
    count = plane.storage.grid.count
    wanted = slice(plane.first_segment, plane.first_segment + count)
    lists = plane.page.dataoffsets[wanted], plane.page.databytecounts[wanted]
    listed = min(map(len, lists))
    if listed < count:
        raise ImageError(
            f"{name}: {count:,} tiles or strips expected in plane {plane.number + 1}, {listed:,} listed: the file is "
            f"damaged"
        )
    offsets, sizes = (np.asarray(one, np.uint64).astype(np.float64) for one in lists)
    _check_end(int(np.max(np.where(sizes > 0, offsets + sizes, 0))), plane, name)
    _refuse(
        (offsets > 0) != (sizes > 0), "is listed with a place and no bytes, or with bytes and no place", plane, name
    )
    _check_sizes(sizes > 0, sizes, plane, name)  # neither place nor bytes: left out, because it is blank


def _check_sizes(there: NDArray[np.bool_], sizes: NDArray[Any], plane: Plane, name: str) -> None:
    storage = plane.storage
    least, most = _decoded_bytes(storage), _packed_bytes(storage)
    compression = int(storage.keyframe.compression)
    if compression == 1:
        # Strips of older programs are twice as long at times; a page of half the bits would be as long again.
        much = most + _SLACK if storage.is_packed else max(2 * most, most + _SLACK)
        _refuse(there & (sizes < least), "has fewer bytes than its pixels take", plane, name)
        _refuse(there & (sizes >= much), "has more bytes than its pixels take", plane, name)
    elif compression in _RATIOS:
        packed = sizes * _RATIOS[compression]
        _refuse(there & (packed < least), "has fewer bytes than its pixels can be packed into", plane, name)


def check_decompressed(storage: Storage, data: bytes) -> None:
    """Check that a segment does not decompress to more than its pixels take.

    Most decoders refuse that themselves. LZW's leaves the rest out, and pixels of packed bits are given more room
    than they need; tags that claim fewer bits, or a narrower image, would read as garbage.

    Raises
    ------
    EOFError
        It does.
    """
    compression = int(storage.keyframe.compression)
    if int(storage.keyframe.fillorder) != 1 or not (compression == _LZW or (storage.is_packed and compression != 1)):
        return
    if compression in OWN_BITS | _CCITT:
        return
    found, expected = len(TIFF.DECOMPRESSORS[compression](data)), _packed_bytes(storage)
    if found > expected + _SLACK:
        raise EOFError(f"{found:,} bytes of pixels found in a tile or strip of {expected:,}")


def _packed_bytes(storage: Storage, rows: int | None = None) -> int:
    """Return the bytes that the pixels of a segment, or of some of its rows, take when they are decompressed."""
    grid: Grid = storage.grid
    return (grid.rows if rows is None else rows) * -(-grid.columns * grid.samples * storage.bits // 8)


def _decoded_bytes(storage: Storage) -> NDArray[np.float64]:
    """Return the bytes that the pixels of each segment take when they are decompressed."""
    grid: Grid = storage.grid
    sizes = np.full(-(-grid.height // grid.rows), _packed_bytes(storage), np.float64)
    if not grid.padded:
        sizes[-1] = _packed_bytes(storage, grid.height - (len(sizes) - 1) * grid.rows)
    return np.repeat(sizes, grid.across)


def _refuse(wrong: NDArray[np.bool_], what: str, plane: Plane, name: str) -> None:
    if wrong.any():
        number = int(np.argmax(wrong))
        found = int(plane.page.databytecounts[plane.first_segment + number])
        part = plane.storage.grid.segment(number)
        raise ImageError(
            f"{name}: the tile or strip at row {part.top:,}, column {part.left:,} of plane {plane.number + 1} {what} "
            f"({found:,} bytes for {part.height:,} x {part.width:,} pixels): the file is damaged; copy or download "
            f"it again"
        )
