"""Whether a reader does what `cellscale.images.readers.Reader` asks of it."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.images.info import INTENSITY_TYPES, Image, ImageInfo, PixelSize
from cellscale.images.readers import Reader
from cellscale.regions import Region
from cellscale.testing.claims import claim, refused

__all__ = ["check_reader"]

_CACHE = 2**24
_REGIONS = 20
_THREADS = 4
_MOST_PIXELS = 2**26


def check_reader(
    reader: Reader,
    file: Path,
    *,
    pixels: NDArray[Any] | None = None,
    channel_names: Sequence[str] | None = None,
    pixel_size: PixelSize | None = None,
    damaged: bool = True,
) -> None:
    """Check a reader on a file of its format.

    Parameters
    ----------
    reader
        The reader.
    file
        A small image; best one with odd sizes and several channels.
    pixels
        What is in it, ``(channels, rows, columns)``; None where that is not known.
    channel_names, pixel_size
        What the reader must say of it; None where that is not known.
    damaged
        Also check that halves of the file are refused; False for formats that cannot know.

    Raises
    ------
    AssertionError
        The reader does something wrong; the message says what.
    """
    file = Path(file).absolute()  # as in a run
    with TemporaryDirectory(prefix="cellscale-") as folder:
        scratch = Path(folder)
        with closing(reader(file, cache_bytes=_CACHE, scratch=scratch)) as image:
            _check_facts(image.info)
            claim(
                image.info.uri in (str(file), file.as_uri()),
                f"uri is {image.info.uri!r}; expected the file that was opened, {str(file)!r}",
            )
            if channel_names is not None:
                names = [channel.name for channel in image.info.channels]
                claim(names == list(channel_names), f"channels are {names}; expected {list(channel_names)}")
            if pixel_size is not None:
                claim(
                    image.info.pixel_size == pixel_size,
                    f"pixel_size is {image.info.pixel_size}; expected {pixel_size}",
                )
            whole = _check_pixels(image)
            if pixels is not None:
                claim(np.array_equal(whole, pixels), "other pixels are read than are in the file")
            _check_levels(image)
        with closing(reader(file, cache_bytes=0, scratch=scratch)) as image:
            claim(
                np.array_equal(image.read(_all(image.info), image.info.region), whole),
                "without a cache other pixels are read",
            )
        with refused("opening a file that is not there"):
            _read_all(reader, file.with_name(f"no-{file.name}"), scratch)
        if damaged:
            _check_damage(reader, file, scratch)


def _check_facts(info: ImageInfo) -> None:
    claim(isinstance(info, ImageInfo), f"info is a {type(info).__name__}; expected ImageInfo")
    claim(info.name, "the image has no name")
    claim(info.height > 0 and info.width > 0, f"the image has {info.height} x {info.width} pixels")
    claim(
        isinstance(info.dtype, np.dtype) and info.dtype.name in INTENSITY_TYPES and info.dtype.isnative,
        f"dtype is {info.dtype!r}; expected one of {sorted(INTENSITY_TYPES)} in native byte order, as np.dtype",
    )
    claim(info.channels, "there are no channels")
    positions = [channel.index for channel in info.channels]
    claim(positions == list(range(len(positions))), f"positions of channels are {positions}; expected 0, 1, ...")
    claim(
        all(isinstance(channel.name, str) and channel.name for channel in info.channels),
        "a channel has no name; expected 'Channel 1' and so on where the file gives none",
    )
    claim(
        info.levels[:1] == (info.shape,),
        f"levels are {info.levels}; expected the whole image's size first, {info.shape}",
    )
    claim(
        all(side <= before for pair in pairwise(info.levels) for before, side in zip(*pair, strict=True)),
        f"levels are {info.levels}; expected each to be smaller than the one before",
    )
    claim(min(info.chunk) > 0, f"chunk is {info.chunk}; expected rows and columns that are decoded together")
    if info.pixel_size is not None:
        sides = info.pixel_size.x, info.pixel_size.y
        claim(min(sides) > 0, f"pixel_size is {info.pixel_size}; expected micrometres above 0")


def _check_pixels(image: Image) -> NDArray[Any]:
    """Check that parts are parts of the whole, in whatever order and from whichever thread; return the whole."""
    info = image.info
    claim(
        info.height * info.width * len(info.channels) <= _MOST_PIXELS,
        f"the file is too large for this check; give one of at most {_MOST_PIXELS} values",
    )
    whole = _part(image, _all(info), info.region)
    again = _part(image, _all(info), info.region)
    whole_before = whole.copy()
    again[:] = 0  # fails where arrays cannot be written to
    claim(np.array_equal(whole, whole_before), "two reads share their memory; expected an array of the caller's own")
    random = np.random.default_rng(0)
    questions = [(_some_channels(random, len(info.channels)), _some_region(random, info)) for _ in range(_REGIONS)]
    last = Region(info.height - 1, info.width - 1, info.height, info.width)
    questions += [((0,), last), (_all(info)[::-1], info.region), ((0, 0), last)]

    def is_right(question: tuple[tuple[int, ...], Region]) -> bool:
        channels, region = question
        return np.array_equal(_part(image, channels, region), whole[(list(channels), *region.slices)])

    for question in questions:
        claim(is_right(question), f"channels {question[0]} of {question[1]} are not that part of the whole image")
    with ThreadPoolExecutor(_THREADS) as pool:
        claim(all(pool.map(is_right, questions * 3)), "read from several threads at once, pixels are wrong")
    return whole


def _part(image: Image, channels: tuple[int, ...], region: Region, level: int = 0) -> NDArray[Any]:
    pixels = image.read(channels, region, level)
    expected = (len(channels), *region.shape)
    claim(isinstance(pixels, np.ndarray), f"read returns a {type(pixels).__name__}; expected an array")
    claim(pixels.shape == expected, f"read returns the shape {pixels.shape} for {region}; expected {expected}")
    claim(pixels.dtype == image.info.dtype, f"read returns {pixels.dtype}; info says {image.info.dtype}")
    claim(pixels.dtype.isnative, f"read returns {pixels.dtype.str}; expected native byte order")
    return pixels


def _check_levels(image: Image) -> None:
    for level, (rows, columns) in enumerate(image.info.levels):
        _part(image, (0,), Region(0, 0, rows, columns), level)
        _part(image, (0,), Region(rows // 2, columns // 2, rows, columns), level)


def _check_damage(reader: Reader, file: Path, scratch: Path) -> None:
    """Check that what a broken copy leaves of a file is refused."""
    if file.is_dir():
        empty = scratch / file.name
        empty.mkdir()
        with refused("opening a folder without files"):
            _read_all(reader, empty, scratch)
        return
    copy = scratch / f"broken-{file.name}"
    for share, what in ((0, "an empty file"), (0.5, "the first half of a file"), (0.02, "the beginning of a file")):
        shutil.copyfile(file, copy)
        with copy.open("r+b") as stream:
            stream.truncate(int(share * file.stat().st_size))
        with refused(f"reading {what}"):
            _read_all(reader, copy, scratch)


def _read_all(reader: Reader, file: Path, scratch: Path) -> None:
    with closing(reader(file, cache_bytes=_CACHE, scratch=scratch)) as image:
        image.read(_all(image.info), image.info.region)


def _all(info: ImageInfo) -> tuple[int, ...]:
    return tuple(range(len(info.channels)))


def _some_channels(random: np.random.Generator, count: int) -> tuple[int, ...]:
    return tuple(random.permutation(count)[: random.integers(1, count + 1)].tolist())


def _some_region(random: np.random.Generator, info: ImageInfo) -> Region:
    top, left = int(random.integers(info.height)), int(random.integers(info.width))
    return Region(
        top, left, int(random.integers(top + 1, info.height + 1)), int(random.integers(left + 1, info.width + 1))
    )
