"""OME-TIFF, ImageJ and plain TIFF images, read by region."""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from html import unescape
from pathlib import Path
from typing import Any

import tifffile
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.faults import one_line, told_apart
from cellscale.images.image_names import image_name
from cellscale.images.info import ChannelAxis, ImageInfo
from cellscale.images.lossy import Change, change_of
from cellscale.images.ome.ome_claims import OmeClaims
from cellscale.images.ome.ome_metadata import OmeImage, parse_ome_xml
from cellscale.images.ome.ome_repair import refusals
from cellscale.images.ome.page_order import pages_in_order
from cellscale.images.probes import tiff_probe
from cellscale.images.tiff.micro_manager import micro_manager_stack
from cellscale.images.tiff.stacked_series import stack_size, stacked
from cellscale.images.tiff.tiff_layout import READABLE_TYPES, Level, level_of
from cellscale.images.tiff.tiff_lists import check_lists
from cellscale.images.tiff.tiff_log import collected_messages
from cellscale.images.tiff.tiff_metadata import check_document_type, tiff_metadata
from cellscale.images.tiff.tiff_segments import SegmentReader, decoding_bytes
from cellscale.images.tiff.tiff_series import (
    axis_sizes,
    choose_series,
    image_series,
    level_shape,
    own_pages,
    passed_over,
)
from cellscale.images.tiff.tiff_storage import called_rgb
from cellscale.images.tiff.tiff_structure import check_described, check_structure, not_a_tiff
from cellscale.regions import Region
from cellscale.storage.ranges import RangeReader, open_ranges
from cellscale.storage.regular import oddity
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, base_name, filesystem, find, local_path

__all__ = ["TiffImage"]

_HEAD = 2**16
"""Bytes of compressed pixels that tell how they were compressed."""

_METADATA_READS = {"block_size": 2**18, "cache_type": "blockcache", "cache_options": {"maxblocks": 128}}
"""How an object is fetched while the tags, which are all over the file, are read."""


_FILE_NAME = re.compile(r'FileName="([^"]+)"')


class TiffImage:
    """An image in a TIFF file or object.

    The image with the most pixels is read (the first of equals), at any level of its pyramid. Channels are the C axis
    of the metadata, the samples of a pixel, or, in a file without axes, its pages. A region costs the tiles or strips
    that it touches: large uncompressed strips are read in part, compressed strips above 64 MB are decoded once, each
    into a scratch file.

    Parameters
    ----------
    location
        Path or URI.
    cache_bytes
        How much of what was decoded is kept for the next reads.
    scratch
        Folder for the scratch files; the system's temporary folder if None.
    types
        The types of pixel that are accepted, by numpy's names.
    channel_axis
        ``Z`` or ``T`` to take focal planes or time points for channels, where there are several.
    inverts
        Read whole numbers that fall with brightness (WhiteIsZero) as if they rose; not so for labels.

    Raises
    ------
    ImageError
        It is not a TIFF, is damaged, or holds something other than one plane a channel.
    StorageError
        It is not there or cannot be read.
    """

    def __init__(
        self,
        location: Location,
        *,
        cache_bytes: int = 128 * 2**20,
        scratch: Path | None = None,
        types: frozenset[str] = READABLE_TYPES,
        channel_axis: ChannelAxis | None = None,
        inverts: bool = True,
    ) -> None:
        self._name = base_name(location)
        self._channel_axis = channel_axis
        self._types = types
        self._inverts = inverts
        self._lock = threading.Lock()
        with ExitStack() as opened:
            self._source: RangeReader = open_ranges(location)
            opened.callback(self._source.close)
            self._others: dict[str, RangeReader] = {}
            opened.callback(self._close_others)
            self._segments = SegmentReader(self._name, cache_bytes=cache_bytes, scratch=scratch)
            opened.callback(self._segments.close)
            self._tiff = opened.enter_context(self._opened(location))
            with self._damage_explained():
                self._info = self._describe(location)
            self._opened_files = opened.pop_all()

    @property
    def info(self) -> ImageInfo:
        """Facts of the image."""
        return self._info

    @property
    def change(self) -> tuple[Change, str]:
        """Whether compression changed the numbers of the first plane, and the name of the compression."""
        plane = self._levels[0].planes[0]
        # The tag may be left out: what tifffile gives then is a mere number.
        compression = tifffile.COMPRESSION(int(plane.storage.keyframe.compression))
        places = zip(plane.page.dataoffsets, plane.page.databytecounts, strict=False)
        offset, size = next(((start, size) for start, size in places if start > 0 and size > 0), (0, 0))
        if compression == tifffile.COMPRESSION.NONE or not size:
            return "none", compression.name
        (data,) = plane.source.read([(int(offset), min(int(size), _HEAD))])
        return change_of(int(compression), data), compression.name

    def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
        """Return the pixels as ``(len(channels), rows, columns)`` in the image's dtype, native byte order.

        Raises
        ------
        ImageError
            The pixels are damaged.
        RequestError
            The image does not have these pixels.
        """
        self._info.require(channels, region, level)
        return self._segments.read(level, self._level(level), channels, region)

    def close(self) -> None:
        """Release the file."""
        self._opened_files.close()

    def __enter__(self) -> "TiffImage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _opened(self, location: Location) -> Iterator[tifffile.TiffFile]:
        if self._source.size == 0:
            raise ImageError(f"{self._name}: the file is empty (0 bytes): copy or download it again")
        path = local_path(location)
        with ExitStack() as stack:
            source: Any = path
            if path is None:
                fs, key = filesystem(location)
                with explained("read", location):
                    source = stack.enter_context(fs.open(key, "rb", **_METADATA_READS))
            with self._damage_explained():
                # Of Micro-Manager's stacks tifffile would join all files, without the OME-XML's names.
                tiff = stack.enter_context(
                    tifffile.TiffFile(source, name=None if path else self._name, is_mmstack=False)
                )
            yield tiff

    @contextmanager
    def _damage_explained(self) -> Iterator[None]:
        with collected_messages() as messages, explained("read", self._name):

            def damaged(error: Exception) -> ImageError:
                if isinstance(error, tifffile.TiffFileError):
                    return not_a_tiff(self._source.read([(0, min(64, self._source.size))])[0], self._name, error)
                said = "; ".join(dict.fromkeys([*messages[:2], one_line(error)]))
                return ImageError(f"{self._name}: the file is damaged ({said}): copy or download it again")

            with told_apart(self._name, damaged, tiff_probe):
                yield

    def _describe(self, location: Location) -> ImageInfo:
        check_structure(self._tiff, self._name)
        check_document_type(self._tiff, self._name)
        self._require_files(location)
        claims = self._claims()
        refused = refusals(self._tiff.ome_metadata) if claims.images else ()
        claims, ordered = self._ordered(claims, location)
        claims.check_counts(self._tiff)
        listed = micro_manager_stack(self._tiff, self._name, described=bool(claims.images))
        found = image_series(self._tiff, self._name) if listed is None else [listed]
        self._series = choose_series(self._tiff, found, self._name)
        series = stacked(found[self._series], self._channel_axis, self._name)
        check_described(self._tiff, series, self._name)
        described, warnings = self._described(claims, series)
        base = self._level_of(series)
        check_lists(base, self._name)
        self._levels: dict[int, Level] = {0: base}
        grid = base.storage.grid
        self._pyramid = [one for one in series.levels if _fits(one, series)]
        facts = tiff_metadata(self._tiff, series, described, base.planes)
        return ImageInfo(
            name=image_name(location),
            uri=str(location),
            height=grid.height,
            width=grid.width,
            dtype=base.dtype,
            channels=facts.channels,
            pixel_size=facts.pixel_size,
            levels=tuple(level_shape(one) for one in self._pyramid),
            chunk=_chunk(base),
            series=self._series,
            significant_bits=facts.significant_bits,
            decoding_bytes=decoding_bytes(base),
            focal_planes=stack_size(series, "Z"),
            time_points=stack_size(series, "T"),
            warnings=(
                *passed_over(self._tiff, found, self._series),
                *refused,
                *ordered,
                *warnings,
                *_empty_levels(series),
                *_as_stored(base),
            ),
        )

    def _require_files(self, location: Location) -> None:
        """Check that what the metadata name as further files can be opened without waiting: tifffile does so."""
        path = local_path(location)
        if path is None:
            return
        for name in dict.fromkeys(_FILE_NAME.findall(self._tiff.ome_metadata or "")):
            with suppress(OSError, ValueError):  # a name that cannot be one
                reason = oddity(path.parent / unescape(name))
                if reason is not None:
                    raise ImageError(f"{self._name}: its further file {name} cannot be read: {reason}")

    def _claims(self) -> OmeClaims:
        text = self._tiff.ome_metadata if self._tiff.is_ome else None
        images = parse_ome_xml(text, self._name) if text else ()
        return OmeClaims(images, len(self._tiff.pages), self._name)

    def _ordered(self, claims: OmeClaims, location: Location) -> tuple[OmeClaims, tuple[str, ...]]:
        """Have OME-XML that does not place its planes place them in the order of pages, and say so."""
        if len(claims.images) != 1:
            return claims, ()
        if self._tiff.pages.first.samplesperpixel == claims.images[0].planes.samples:
            claims.check_counts(self._tiff)  # else places are not of these pages
        own_pages(self._tiff, self._name)
        pages, text = self._tiff.pages, self._tiff.ome_metadata or ""
        found = pages_in_order(
            claims.images[0], self._tiff, text, self._name, lambda name: _is_beside(location, name)
        )
        if found is None:
            return claims, ()
        pages.first.description = found.xml
        return OmeClaims((found.image,), len(pages), self._name), (found.warning,)

    def _described(self, claims: OmeClaims, series: Any) -> tuple[OmeImage | None, tuple[str, ...]]:
        """Return what the OME-XML says of the chosen image, and what the user should know of it."""
        if series.kind == "mmstack" and claims.images:
            return claims.image_of(series[0], 0), ()
        if series.kind != "ome":
            return None, ()
        image = claims.image_of(series.keyframe if series[0] is None else series[0], self._series)
        claims.check_passed_over(image, self._tiff)
        left_over = () if image is None else claims.check_image(image, self._tiff)
        return image, left_over

    def _level(self, number: int) -> Level:
        with self._lock:  # the tags of smaller levels are read when they are first asked for
            if number not in self._levels:
                with self._damage_explained():
                    level = self._level_of(self._pyramid[number])
                    check_lists(level, self._name)
                self._levels[number] = level
            return self._levels[number]

    def _level_of(self, series: Any) -> Level:
        return level_of(series, self._source_of, self._types, self._name, inverts=self._inverts)

    def _source_of(self, page: Any) -> RangeReader:
        """Return the open file that a page is in: an OME-TIFF may be spread over several."""
        handle = page.parent.filehandle
        if handle is self._tiff.filehandle:
            return self._source
        if handle.path not in self._others:
            self._others[handle.path] = open_ranges(handle.path)
        return self._others[handle.path]

    def _close_others(self) -> None:
        for source in self._others.values():
            source.close()


def _is_beside(location: Location, name: str) -> bool:
    """Return whether there is a file of a name in the folder of another."""
    path = local_path(location)
    if path is None:
        return find(f"{str(location).rpartition('/')[0]}/{name}") is not None
    with suppress(OSError, ValueError):  # a name that cannot be one
        return (path.parent / name).is_file()
    return False


def _fits(level: Any, series: Any) -> bool:
    """Return whether a level of the pyramid is the same image, smaller, and has pixels."""
    return min(level.shape) > 0 and _other_axes(level) == _other_axes(series) and bool(level.dtype == series.dtype)


def _empty_levels(series: Any) -> tuple[str, ...]:
    """Say which levels of the pyramid have no pixels."""
    empty = [f"{' x '.join(map(str, level.shape))}" for level in series.levels if min(level.shape) < 1]
    return (f"levels without pixels are passed over: {', '.join(empty)}",) if empty else ()


def _as_stored(level: Level) -> tuple[str, ...]:
    """Say where the tags call the pixels something that they are not taken for, or that changes them."""
    storages = [plane.storage for plane in level.planes]
    texts = []
    if any(storage.is_inverted for storage in storages):
        texts.append(
            "its tags say that 0 is white (WhiteIsZero): its numbers are inverted, as Bio-Formats and QuPath do, so "
            "that they rise with brightness; where they do so as stored, correct the tag (tiffset -s 262 1 FILE)"
        )
    if called_rgb(storages[0].keyframe):
        texts.append("its tags call it an RGB picture, which its pixels are not: its samples are taken for channels")
    return tuple(texts)


def _other_axes(series: Any) -> dict[str, int]:
    return {axis: size for axis, size in axis_sizes(series) if axis not in "YX"}


def _chunk(level: Level) -> tuple[int, int]:
    grid = level.storage.grid
    if level.planes[0].raw_offset is not None:  # any rectangle can be read alone
        return min(256, grid.height), min(256, grid.width)
    return min(grid.rows, grid.height), min(grid.columns, grid.width)
