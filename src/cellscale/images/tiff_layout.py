"""Where a TIFF keeps the pixels of each channel, from its tags and metadata alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cellscale.errors import ImageError
from cellscale.regions import Region
from cellscale.storage.ranges import RangeReader

__all__ = [
    "INTENSITY_TYPES",
    "Grid",
    "Level",
    "Plane",
    "check_not_truncated",
    "choose_series",
    "level_of",
    "level_shape",
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
_COLOUR = {2: "RGB", 5: "CMYK", 6: "YCbCr", 8: "CIELab"}
INTENSITY_TYPES = frozenset({"uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64"})
"""Types of pixel that an image may have."""

_MAX_SEGMENT_BYTES = 4 * 2**30

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
    raw_offset: int | None
    """Byte of the first pixel, where the whole plane is stored without compression and gaps."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How a page is cut into segments: tiles, or strips over the whole width."""

    height: int
    width: int
    rows: int
    """Rows of a segment."""

    columns: int
    samples: int
    """Values a decoded pixel has."""

    padded: bool
    """Segments at the lower border are stored whole (tiles) rather than cut (strips)."""

    @property
    def across(self) -> int:
        """Segments side by side."""
        return -(-self.width // self.columns)

    @property
    def count(self) -> int:
        """Segments of a plane."""
        return self.across * -(-self.height // self.rows)

    def segment(self, index: int) -> Region:
        """Return the rectangle of a segment, cut at the image's border."""
        top, left = (index // self.across) * self.rows, (index % self.across) * self.columns
        return Region(top, left, min(top + self.rows, self.height), min(left + self.columns, self.width))

    def overlapping(self, region: Region) -> list[int]:
        """Return the segments that a region touches, in raster order."""
        columns = range(region.left // self.columns, -(-region.right // self.columns))
        rows = range(region.top // self.rows, -(-region.bottom // self.rows))
        return [row * self.across + column for row in rows for column in columns]


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of an image."""

    keyframe: Any
    """The tifffile page whose tags hold for all pages."""

    grid: Grid
    planes: tuple[Plane, ...]
    """One for each channel."""

    stored: np.dtype[Any]
    """Type of a stored pixel, with the file's byte order."""

    uncompressed: bool
    """Segments are the pixels as they are."""

    @property
    def segment_bytes(self) -> int:
        """Bytes of a decoded segment."""
        return self.grid.rows * self.grid.columns * self.grid.samples * self.stored.itemsize


def choose_series(series: list[Any], name: str) -> int:
    """Return the index of the series with the most pixels; the first of equals.

    Raises
    ------
    ImageError
        There is no image in the file.
    """
    sizes = [level_shape(one)[0] * level_shape(one)[1] for one in series]
    if not sizes or max(sizes) == 0:
        raise ImageError(f"{name}: the file holds no image: it is damaged or was not written to the end")
    return sizes.index(max(sizes))


def level_shape(series: Any) -> tuple[int, int]:
    """Return rows and columns of a series."""
    sizes = dict(zip(series.get_axes(squeeze=False), series.get_shape(squeeze=False), strict=True))
    return int(sizes.get("Y", 0)), int(sizes.get("X", 0))


def _check_axes(series: Any, name: str) -> None:
    sizes = zip(series.get_axes(squeeze=False), series.get_shape(squeeze=False), strict=True)
    more = [(axis, size) for axis, size in sizes if axis not in "YXCS" and size > 1]
    # Q and I are the pages of a file that does not say what its pages are: they are taken for channels.
    pages = [axis for axis, _ in more if axis in "QI"]
    for axis, size in more:
        if axis in pages and len(pages) == 1:
            continue
        found = _AXIS_NAMES.get(axis, f"positions along axis {axis}")
        raise ImageError(
            f"{name}: {size} {found} found, one expected: cellscale reads two-dimensional images with channels; "
            f"save one of them, or a projection, as an image of its own"
        )


def _check_colour(keyframe: Any, name: str) -> None:
    photometric = int(keyframe.photometric)
    if photometric in _COLOUR and keyframe.samplesperpixel >= 3:
        raise ImageError(
            f"{name}: a colour image ({_COLOUR[photometric]}, as of H&E or a photograph) found, separate channels "
            f"expected: save fluorescence channels as planes (axes CYX), not as a colour picture"
        )


def _check_pixels(keyframe: Any, types: frozenset[str], name: str) -> np.dtype[Any]:
    dtype: np.dtype[Any] | None = keyframe.dtype
    if dtype is None or dtype.name not in types:
        what = f"{keyframe.bitspersample}-bit" if dtype is None else str(dtype)
        raise ImageError(f"{name}: pixels of type {what} found; one of {', '.join(sorted(types))} expected")
    return dtype


def _grid(keyframe: Any) -> Grid:
    samples = keyframe.samplesperpixel if int(keyframe.planarconfig) == 1 else 1
    if keyframe.is_tiled:
        rows, columns = keyframe.tilelength, keyframe.tilewidth
    else:
        rows, columns = keyframe.rowsperstrip, keyframe.imagewidth
    return Grid(keyframe.imagelength, keyframe.imagewidth, rows, columns, samples, keyframe.is_tiled)


def level_of(series: Any, source: Source, types: frozenset[str], name: str) -> Level:
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

    Raises
    ------
    ImageError
        The image has more than channels, rows and columns, is a colour image, or has pixels that cannot be read.
    """
    keyframe = series.keyframe
    _check_axes(series, name)
    _check_colour(keyframe, name)
    dtype = _check_pixels(keyframe, types, name)
    if keyframe.imagedepth > 1:
        raise ImageError(f"{name}: {keyframe.imagedepth} focal planes (Z) found in one page, one expected")
    grid = _grid(keyframe)
    if min(grid.height, grid.width, grid.rows, grid.columns) < 1:
        raise ImageError(f"{name}: the image's size or its tiles' is zero: the file is damaged")
    plain = int(keyframe.compression) == 1 and int(keyframe.predictor) == 1 and int(keyframe.fillorder) == 1
    level = Level(
        keyframe=keyframe,
        grid=grid,
        planes=_planes(series, grid, dtype, source, name),
        stored=np.dtype(f"{keyframe.parent.byteorder}{dtype.char}"),
        uncompressed=plain and keyframe.bitspersample == 8 * dtype.itemsize,
    )
    if not level.uncompressed and level.segment_bytes > _MAX_SEGMENT_BYTES:
        raise ImageError(
            f"{name}: one compressed strip holds {level.segment_bytes / 2**30:.0f} GiB of pixels and can only be "
            f"decoded whole: write the image again in tiles"
        )
    return level


def _planes(series: Any, grid: Grid, dtype: np.dtype[Any], source: Source, name: str) -> tuple[Plane, ...]:
    keyframe = series.keyframe
    samples = int(keyframe.samplesperpixel)
    separate = int(keyframe.planarconfig) != 1
    plane_bytes = grid.height * grid.width * grid.samples * dtype.itemsize
    start = None if series.is_multifile else series.dataoffset
    planes = []
    for number in range(len(series)):
        # Where the pages lie one after the other, only the first one may have tags (ImageJ, tifffile).
        page = series[number] if start is None else series[0]
        if page is None:
            raise ImageError(
                f"{name}: plane {number + 1} of {len(series)} is in a file that cannot be found: keep the files of a "
                f"multi-file OME-TIFF together, or write them as one"
            )
        for sample in range(samples):
            group = number * samples + sample if separate else number
            planes.append(
                Plane(
                    page=page,
                    number=number,
                    first_segment=sample * grid.count if separate else 0,
                    sample=0 if separate else sample,
                    source=source(page),
                    raw_offset=None if start is None else start + group * plane_bytes,
                )
            )
    return tuple(planes)


def check_not_truncated(level: Level, name: str) -> None:
    """Check that every segment lies inside the file, without reading pixels.

    Raises
    ------
    ImageError
        Segments are missing, or the file ends before them.
    """
    for plane in level.planes:
        if plane.raw_offset is not None:
            grid = level.grid
            end = plane.raw_offset + grid.height * grid.width * grid.samples * level.stored.itemsize
        else:
            end = _last_byte(level, plane, name)
        if end > plane.source.size:
            raise ImageError(
                f"{name}: the file is truncated: it has {plane.source.size:,} bytes and its pixels reach to byte "
                f"{end:,}; copy or download it again"
            )


def _last_byte(level: Level, plane: Plane, name: str) -> int:
    wanted = slice(plane.first_segment, plane.first_segment + level.grid.count)
    offsets = np.asarray(plane.page.dataoffsets[wanted], np.int64)
    sizes = np.asarray(plane.page.databytecounts[wanted], np.int64)
    if min(len(offsets), len(sizes)) < level.grid.count:
        raise ImageError(
            f"{name}: {level.grid.count} tiles or strips expected in plane {plane.number + 1}, "
            f"{min(len(offsets), len(sizes))} listed: the file is damaged"
        )
    # Both zero: a segment that was left out because it is blank.
    return int(np.where(sizes > 0, offsets + sizes, 0).max())
