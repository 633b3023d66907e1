"""How a page of a TIFF keeps its pixels: byte order, compression, and how it is cut into tiles or strips.

The planes of one image need not agree: a set may be put together from files of several programs, and a channel may
have been appended by another. tifffile reads the pages after the first as frames that lend the first one's tags, so
that each page's own tags are read here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.images.tiff.tiff_codecs import require_codecs
from cellscale.images.tiff.tiff_tags import check_single, check_tags
from cellscale.regions import Region

__all__ = ["Grid", "Storage", "called_rgb", "check_alike", "is_photograph", "own_page", "storage_of"]

_PHOTOMETRIC = 262
_WHITE_IS_ZERO, _RGB = 0, 2
_COLOUR = {_RGB: "RGB", 5: "CMYK", 6: "YCbCr", 8: "CIELab"}
_PHOTOGRAPH_BITS, _PHOTOGRAPH_SAMPLES = 8, 4
"""Most bits and samples of a picture for people to look at: RGB, or RGB with transparency."""

_MAX_SEGMENT_BYTES = 4 * 2**30


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
class Storage:
    """How the pixels of a page are stored."""

    keyframe: Any
    """The tifffile page whose tags say so."""

    grid: Grid
    stored: np.dtype[Any]
    """Type of a stored pixel, with the file's byte order."""

    uncompressed: bool
    """Segments are the pixels as they are."""

    is_inverted: bool = False
    """Numbers fall with brightness, as the tags say (WhiteIsZero), and are read as if they rose."""

    @property
    def highest(self) -> int:
        """The highest number that the bits of a value can hold."""
        return (1 << self.bits) - 1

    def upright(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return numbers as they are stored so that they rise with brightness."""
        if not self.is_inverted:
            return pixels
        risen: NDArray[Any] = pixels.dtype.type(self.highest) - pixels
        return risen

    @property
    def bits(self) -> int:
        """Bits that a value takes; fewer than its type has where values are packed."""
        return int(self.keyframe.bitspersample)

    @property
    def is_packed(self) -> bool:
        """Values are stored without gaps, in fewer bits than their type has."""
        return self.bits != 8 * self.stored.itemsize

    @property
    def segment_bytes(self) -> int:
        """Bytes of a decoded segment."""
        return self.grid.rows * self.grid.columns * self.grid.samples * self.stored.itemsize

    @property
    def plane_bytes(self) -> int:
        """Bytes of a decoded plane, with all samples that are stored in it."""
        return self.grid.height * self.grid.width * self.grid.samples * self.stored.itemsize


def own_page(page: Any) -> Any:
    """Return a page with its own tags, for one that may be a frame with those of another page."""
    if not page.is_frame or page.is_virtual:
        return page.keyframe
    handle = page.parent.filehandle
    closed = handle.closed  # tifffile closes the further files of a multi-file OME-TIFF
    if closed:
        handle.open()
    try:
        return page.aspage()
    finally:
        if closed:
            handle.close()


def storage_of(keyframe: Any, types: frozenset[str], name: str, *, inverts: bool = False) -> Storage:
    """Tell how a page is stored.

    Parameters
    ----------
    keyframe
        The tifffile page.
    types
        The types of pixel that are accepted.
    name
        For messages.
    inverts
        Read numbers that fall with brightness as if they rose, as Bio-Formats does.

    Raises
    ------
    ImageError
        It is a colour image, or has pixels that cannot be read.
    CodecError
        Its codec is not installed.
    """
    check_single(keyframe, name)
    _check_colour(keyframe, name)
    dtype = _check_pixels(keyframe, types, name)
    check_tags(keyframe, name)
    if keyframe.imagedepth > 1:
        raise ImageError(f"{name}: {keyframe.imagedepth} focal planes (Z) found in one page, one expected")
    grid = _grid(keyframe)
    if min(grid.height, grid.width, grid.rows, grid.columns) < 1:
        raise ImageError(f"{name}: the image's size or its tiles' is zero: the file is damaged")
    plain = int(keyframe.compression) == 1 and int(keyframe.predictor) == 1 and int(keyframe.fillorder) == 1
    storage = Storage(
        keyframe=keyframe,
        grid=grid,
        stored=np.dtype(f"{keyframe.parent.byteorder}{dtype.char}"),
        uncompressed=plain and keyframe.bitspersample == 8 * dtype.itemsize,
        is_inverted=inverts and dtype.kind == "u" and _says_white_is_zero(keyframe),
    )
    if not storage.uncompressed and storage.segment_bytes > _MAX_SEGMENT_BYTES:
        raise ImageError(
            f"{name}: one compressed strip holds {storage.segment_bytes / 2**30:.0f} GiB of pixels and can only be "
            f"decoded whole: write the image again in tiles"
        )
    require_codecs(keyframe, name)
    keyframe.decode  # noqa: B018 - made here, because tifffile makes it on first use without a lock
    return storage


def check_alike(first: Storage, other: Storage, number: int, name: str) -> None:
    """Check that a plane has the size and the type of pixels of the first one.

    Raises
    ------
    ImageError
        It has not.
    """
    for expected, found in zip(_shared_facts(first), _shared_facts(other), strict=True):
        if expected != found:
            file = other.keyframe.parent.filehandle.name
            raise ImageError(
                f"{name}: its planes do not agree: {expected} in the first one, {found} in plane {number + 1} (of "
                f"{file}): write them again as planes of one size and type"
            )


def _shared_facts(storage: Storage) -> tuple[str, ...]:
    keyframe, grid = storage.keyframe, storage.grid
    together = "together" if int(keyframe.planarconfig) == 1 else "apart"
    return (
        f"{grid.height} x {grid.width} pixels (rows x columns)",
        str(storage.stored.newbyteorder("=")),
        f"{int(keyframe.samplesperpixel)} values a pixel, stored {together},",
    )


def _check_colour(keyframe: Any, name: str) -> None:
    if is_photograph(keyframe):
        raise ImageError(
            f"{name}: a colour image ({_COLOUR[int(keyframe.photometric)]}, as of H&E or a photograph) found, "
            f"separate channels expected: save fluorescence channels as planes (axes CYX), not as a colour picture"
        )


def is_photograph(keyframe: Any) -> bool:
    """Return whether a page is a colour picture; one whose tags are damaged is none."""
    photometric, samples = keyframe.photometric, keyframe.samplesperpixel
    if not isinstance(photometric, int) or not isinstance(samples, int):
        return False
    return photometric in _COLOUR and samples >= 3 and not called_rgb(keyframe)


def called_rgb(keyframe: Any) -> bool:
    """Return whether a page is called RGB by its tags and is no picture for people to look at.

    Several libraries call any three planes so by default: samples that are stored apart, of more than 8 bits, or more
    than four of them are channels.
    """
    if int(keyframe.photometric) != _RGB or keyframe.samplesperpixel < 3:
        return False
    bits = keyframe.bitspersample
    is_deep = isinstance(bits, int) and bits > _PHOTOGRAPH_BITS
    return is_deep or int(keyframe.planarconfig) != 1 or keyframe.samplesperpixel > _PHOTOGRAPH_SAMPLES


def _says_white_is_zero(keyframe: Any) -> bool:
    """Return whether the tags say that 0 is white; where there is none, tifffile says so and the file does not."""
    return int(keyframe.photometric) == _WHITE_IS_ZERO and _PHOTOMETRIC in keyframe.tags


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
