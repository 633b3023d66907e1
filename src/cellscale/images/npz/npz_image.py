"""Nucleus and membrane in an NPZ file, as DeepCell's tools make them.

An NPZ file is a zip archive of NPY files, and comes from anywhere: its directory and the array's header are checked
against each other and against the archive's size before any pixel is unpacked, and nothing in it is ever executed.
"""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.faults import told_apart
from cellscale.images.image_names import image_name
from cellscale.images.info import Channel, ImageInfo
from cellscale.images.probes import npz_probe
from cellscale.images.raw import RawPixels
from cellscale.regions import Region
from cellscale.storage.ranges import LocalRanges, RangeReader, open_ranges
from cellscale.storage.scratch import scratch_file
from cellscale.storage.uri import Location, base_name

__all__ = ["ARRAY", "NpzImage", "open_npz"]

ARRAY = "input_channels"
_NAMES = ("nuclear", "membrane")
_MAX_RATIO = 1100
"""Deflate, the only compression that numpy uses, shrinks at most 1032-fold."""

_MAX_HEADER = 10_000
_PIECE = 4 * 2**20
_LOCAL_HEADER_BYTES = 30


@dataclass(frozen=True, slots=True)
class _Header:
    """What the array's own header says."""

    shape: tuple[int, int, int]
    fortran_order: bool
    dtype: np.dtype[Any]
    size: int
    """Bytes of the header."""


class NpzImage:
    """Rows x columns x (nucleus, membrane), read by region.

    An array that was stored without compression is read in place, after it was read once for its checksum. A
    compressed one is unpacked once, into a scratch file of the array's size.
    """

    def __init__(self, info: ImageInfo, pixels: RawPixels, *, fortran_order: bool) -> None:
        self._info = info
        self._pixels = pixels
        self._fortran_order = fortran_order

    @property
    def info(self) -> ImageInfo:
        """Facts of the image; its channels are ``nuclear`` and ``membrane``."""
        return self._info

    def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
        """Return the pixels as ``(len(channels), rows, columns)``; there is level 0 only."""
        self._info.require(channels, region, level)
        if not self._fortran_order:
            return np.ascontiguousarray(np.moveaxis(self._pixels.read(region), 2, 0)[list(channels)])
        # Column by column, one channel behind the other: as an image that is turned and has twice the rows.
        planes = [self._turned(channel, region) for channel in channels]
        return np.stack(planes)

    def _turned(self, channel: int, region: Region) -> NDArray[Any]:
        start = channel * self._info.width
        return self._pixels.read(Region(start + region.left, region.top, start + region.right, region.bottom))[
            ..., 0
        ].T

    def close(self) -> None:
        """Release the file."""
        self._pixels.source.close()


def open_npz(
    location: Location,
    *,
    expect_shape: tuple[int, int] | None = None,
    scratch: Path | None = None,
    array: str = ARRAY,
    samples: int | None = 2,
) -> NpzImage:
    """Open an array of an NPZ file, ``input_channels`` or the only one if no other is named.

    Parameters
    ----------
    location
        Path or URI.
    expect_shape
        Rows and columns of the image that it stands for.
    scratch
        Folder for unpacking; the system's temporary folder if None.
    array
        Name of the array.
    samples
        Numbers of each pixel; None for any.

    Raises
    ------
    ImageError
        It is no NPZ file, is damaged, holds Python objects, declares sizes that cannot be, or another array than
        rows x columns x samples numbers.
    StorageError
        It cannot be read, or the scratch folder is full.
    """
    name = base_name(location)
    source = open_ranges(location)
    try:
        with _damage_explained(name), zipfile.ZipFile(_Seekable(source)) as archive:
            member = _member(archive, source.size, name, array)
            with archive.open(member) as stream:
                header = _header(stream, name, samples)
            _check(header, member, expect_shape, name)
            pixels = _pixels(archive, member, header, source, scratch)
    except BaseException:
        source.close()
        raise
    if pixels.source is not source:
        source.close()
    return NpzImage(_info(location, header), pixels, fortran_order=header.fortran_order)


def array_names(location: Location) -> frozenset[str]:
    """Return the names of the arrays of an NPZ file.

    Parameters
    ----------
    location
        Path or URI.

    Raises
    ------
    ImageError
        It is no NPZ file, or is damaged.
    StorageError
        It cannot be read.
    """
    source = open_ranges(location)
    try:
        with _damage_explained(base_name(location)), zipfile.ZipFile(_Seekable(source)) as archive:
            return frozenset(one.filename.removesuffix(".npy") for one in archive.infolist())
    finally:
        source.close()


@contextmanager
def _damage_explained(name: str) -> Iterator[None]:
    def damaged(error: Exception) -> ImageError:
        return ImageError(f"{name}: not an NPZ file, or a damaged one ({error}): make it again with numpy.savez")

    with told_apart(name, damaged, npz_probe):
        yield


class _Seekable(io.RawIOBase):
    """The bytes of a range reader as a file, for zipfile."""

    def __init__(self, source: RangeReader) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError(f"position {base + offset} before the file's start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        size = max(0, min(len(buffer), self._source.size - self._position))
        if size == 0:
            return 0
        (data,) = self._source.read([(self._position, size)])
        buffer[:size] = data
        self._position += size
        return size


def _member(archive: zipfile.ZipFile, size: int, name: str, array: str) -> zipfile.ZipInfo:
    members = {one.filename: one for one in archive.infolist()}
    if f"{array}.npy" not in members and len(members) != 1:
        found = ", ".join(sorted(members)[:10]) or "nothing"
        raise ImageError(f"{name}: {found} found in the NPZ file; an array {array}, or a single array, expected")
    member = members.get(f"{array}.npy") or next(iter(members.values()))
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ImageError(f"{name}: a kind of compression found that numpy.savez does not use")
    limit = _MAX_RATIO if member.compress_type == zipfile.ZIP_DEFLATED else 1
    if member.compress_size > size or member.file_size > limit * (member.compress_size + _MAX_HEADER):
        raise ImageError(
            f"{name}: its directory declares {member.file_size:,} bytes in a file of {size:,}, more than can be: "
            f"it is damaged or a zip bomb, and was not unpacked"
        )
    return member


def _header(stream: IO[bytes], name: str, samples: int | None) -> _Header:
    version = npy.read_magic(stream)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise ImageError(f"{name}: an NPY header of version {version} found; 1.0 or 2.0 expected")
    shape, fortran_order, dtype = readers[version](stream, max_header_size=_MAX_HEADER)
    if dtype.hasobject:
        raise ImageError(
            f"{name}: it holds pickled Python objects, which could run any program when read, and is refused; "
            f"save the array as numbers (array.astype('float32'))"
        )
    if dtype.kind not in "uif" or dtype.itemsize > 8 or dtype.names is not None:
        raise ImageError(f"{name}: an array of {dtype} found; integers or floats expected")
    if len(shape) == 4 and shape[0] == 1:  # DeepCell's own functions take a batch of one image
        shape = shape[1:]
    if len(shape) != 3 or shape[2] != (samples or shape[2]) or min(shape) < 1:
        wanted = "2 (nucleus, membrane)" if samples == 2 else str(samples or "samples")
        raise ImageError(f"{name}: an array of shape {shape} found; rows x columns x {wanted} expected")
    return _Header((shape[0], shape[1], shape[2]), fortran_order, dtype, stream.tell())


def _check(header: _Header, member: zipfile.ZipInfo, expect_shape: tuple[int, int] | None, name: str) -> None:
    height, width, samples = header.shape
    size = header.size + height * width * samples * header.dtype.itemsize
    if size != member.file_size:
        raise ImageError(
            f"{name}: its array declares {size:,} bytes ({height} x {width} x {samples} {header.dtype}) and the "
            f"archive {member.file_size:,}: it is damaged or a zip bomb, and was not unpacked"
        )
    if expect_shape is not None and header.shape[:2] != expect_shape:
        raise ImageError(
            f"{name}: {height} x {width} pixels (rows x columns) found, its image has {expect_shape[0]} x "
            f"{expect_shape[1]}: make the NPZ file again from this image, or remove it"
        )


def _pixels(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: _Header, source: RangeReader, scratch: Path | None
) -> RawPixels:
    height, width, samples = header.shape
    if member.compress_type == zipfile.ZIP_STORED:
        _check_sum(archive, member)
        offset = _content_offset(source, member) + header.size
    else:
        with archive.open(member) as stream:
            stream.read(header.size)
            source = LocalRanges(scratch_file(scratch, iter(lambda: stream.read(_PIECE), b"")))
        offset = 0
    if header.fortran_order:
        return RawPixels(source, offset, samples * width, height, 1, header.dtype)
    return RawPixels(source, offset, height, width, samples, header.dtype)


def _check_sum(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Read a member to its end, where zipfile compares its checksum; what is unpacked is compared on the way."""
    with archive.open(member) as stream:
        while stream.read(_PIECE):
            pass


def _content_offset(source: RangeReader, member: zipfile.ZipInfo) -> int:
    """Return the byte at which a member's content starts; its local header may be longer than the directory's."""
    (local,) = source.read([(member.header_offset, _LOCAL_HEADER_BYTES)])
    lengths = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    return member.header_offset + _LOCAL_HEADER_BYTES + lengths


def _info(location: Location, header: _Header) -> ImageInfo:
    height, width, samples = header.shape
    names = _NAMES if samples == len(_NAMES) else tuple(map(str, range(samples)))
    return ImageInfo(
        name=image_name(location),
        uri=str(location),
        height=height,
        width=width,
        dtype=header.dtype.newbyteorder("="),
        channels=tuple(Channel(index, text) for index, text in enumerate(names)),
        levels=((height, width),),
        chunk=(min(256, height), min(256, width)),
    )
