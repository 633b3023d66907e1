"""Writing label masks as OME-Zarr 0.5: a pyramid in few files, streamed."""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec
from zarr.storage import FsspecStore, LocalStore

from cellscale.images.info import PixelSize
from cellscale.images.masks.mask_writer import row_bands
from cellscale.images.zarr.zarr_store import zarr_store
from cellscale.regions import RegionReader
from cellscale.storage.group_rights import share_tree
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, base_name, filesystem, local_path

__all__ = ["write_label_zarr"]

_CHUNK = 512
_SHARD = (_CHUNK, 32 * _CHUNK)
"""Low and wide: labels arrive by rows, and the rows of a shard are held until it is full."""

_SMALLEST = 512
"""The pyramid ends with the first level that fits into this."""


def write_label_zarr(
    location: Location,
    rows: RegionReader | Iterable[NDArray[Any]],
    shape: tuple[int, int],
    pixel_size: PixelSize | None = None,
) -> None:
    """Write a label mask as an OME-Zarr 0.5 label image with a pyramid.

    Memory is about 4 KB for each column of the image. Locally the folder appears when it is whole, and replaces an
    earlier one; in an object store the metadata that make it an image are written last. Lower resolutions take every
    second pixel, so that they hold no label that is not there.

    Parameters
    ----------
    location
        Path or URI of the folder.
    rows
        A reader of the labels; or bands of rows over the whole width, from top to bottom, of any heights.
    shape
        Rows and columns.
    pixel_size
        µm/px; left out of the metadata if None.

    Raises
    ------
    StorageError
        It cannot be written.
    ValueError
        The bands do not add up to ``shape``.
    """
    bands = row_bands(rows, shape, _CHUNK) if callable(rows) else rows
    with explained("write", location), _folder(location) as store:
        group = zarr.create_group(store, zarr_format=3)
        shapes = _pyramid(shape)
        writers = [_LevelWriter(_create(store, number, size)) for number, size in enumerate(shapes)]
        for band in bands:
            labels: NDArray[Any] = band.reshape(band.shape[-2:])
            for writer in writers:
                labels = writer.add(labels)
        for writer in writers:
            writer.finish()
        group.attrs["ome"] = _metadata(location, len(shapes), pixel_size)


def _pyramid(shape: tuple[int, int]) -> list[tuple[int, int]]:
    shapes = [shape]
    while max(shapes[-1]) > _SMALLEST:
        height, width = shapes[-1]
        shapes.append((-(-height // 2), -(-width // 2)))
    return shapes


def _create(store: LocalStore | FsspecStore, number: int, shape: tuple[int, int]) -> "zarr.Array[Any]":
    width = min(_SHARD[1], -(-shape[1] // _CHUNK) * _CHUNK)
    return zarr.create_array(
        store,
        name=str(number),
        shape=shape,
        dtype="int32",
        chunks=(_CHUNK, _CHUNK),
        shards=(_SHARD[0], width),
        compressors=ZstdCodec(level=1),
        fill_value=0,
        zarr_format=3,
        dimension_names=("y", "x"),
    )


class _LevelWriter:
    """Collects the rows of one level, and writes them a row of shards at a time."""

    def __init__(self, array: "zarr.Array[Any]") -> None:
        self._array = array
        self._rows = np.empty((_SHARD[0], array.shape[1]), np.int32)
        self._filled = 0
        self._written = 0

    def add(self, band: NDArray[Any]) -> NDArray[Any]:
        """Take rows, and return those of the next level."""
        if band.shape[1] != self._array.shape[1]:
            raise ValueError(f"a band of {band.shape[1]} columns for a level of {self._array.shape[1]}")
        first = (self._written + self._filled) % 2  # the next level has this one's even rows and columns
        rest = band
        while len(rest):
            part = rest[: len(self._rows) - self._filled]
            self._rows[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            rest = rest[len(part) :]
            if self._filled == len(self._rows):
                self._flush()
        return band[first::2, ::2]

    def finish(self) -> None:
        """Write the remaining rows."""
        self._flush()
        if self._written != self._array.shape[0]:
            raise ValueError(f"bands of {self._written} rows in all for a level of {self._array.shape[0]}")

    def _flush(self) -> None:
        if self._filled:
            self._array[self._written : self._written + self._filled] = self._rows[: self._filled]
        self._written += self._filled
        self._filled = 0


def _metadata(location: Location, levels: int, pixel_size: PixelSize | None) -> dict[str, Any]:
    unit = {} if pixel_size is None else {"unit": "micrometer"}
    sides = (1.0, 1.0) if pixel_size is None else (pixel_size.y, pixel_size.x)
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": base_name(location),
                "axes": [{"name": axis, "type": "space", **unit} for axis in "yx"],
                "datasets": [
                    {
                        "path": str(level),
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [side * 2**level for side in sides]},
                        ],
                    }
                    for level in range(levels)
                ],
                "type": "nearest",
            }
        ],
        "image-label": {},
    }


@contextmanager
def _folder(location: Location) -> Iterator[LocalStore | FsspecStore]:
    path = local_path(location)
    if path is not None:
        with _replaced(path) as part:
            yield zarr_store(part)
        return
    fs, key = filesystem(location)
    if fs.exists(key):
        fs.rm(key, recursive=True)
    yield zarr_store(location)


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Give a folder to write in, which takes the place of ``path`` when the ``with`` block ends without an error."""
    token = secrets.token_hex(4)
    part, old = (path.parent / f".cellscale-{token}.{kind}" for kind in ("part", "old"))
    part.mkdir()
    try:
        yield part
        share_tree(part)
        if os.path.lexists(path):
            path.rename(old)
        part.rename(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old)
    else:
        old.unlink(missing_ok=True)
