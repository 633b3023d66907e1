"""What an OME-Zarr's metadata claim, held against the chunks that are there."""

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from cellscale.errors import ImageError
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, filesystem, join, local_path, read_if_there

__all__ = ["check_stored"]

_METADATA = {".zarray": ("chunks",), "zarr.json": ("chunk_grid", "configuration", "chunk_shape")}
"""Files that describe an array, and where in them its chunks' size is."""

_SPARSE = 1000
"""Chunks of which one at least is stored in an image that has so many: slides with much blank ground have more."""


def check_stored(location: Location, array: Any, name: str) -> tuple[str, ...]:
    """Hold the size of an image's array against the chunks that its folder has, on a disk or in a bucket.

    Zarr leaves blank chunks out, so that a small folder may hold a large blank image. One that claims a thousand
    times what is stored is damaged, or its copy is incomplete; it would be worked on for hours, as blank.

    Parameters
    ----------
    location
        The folder of the image.
    array
        The array of the full resolution.
    name
        The image, for messages.

    Returns
    -------
    What the user should know.

    Raises
    ------
    ImageError
        Chunks have no size, or next to none is there.
    """
    folder = join(location, *filter(None, array.path.split("/")))
    _require_sizes(folder, name)
    names = _names(folder)
    if names is None:
        return ()
    pieces = getattr(array, "shards", None) or array.chunks
    count = math.prod(-(-side // piece) for side, piece in zip(array.shape, pieces, strict=True))
    stored = _stored(names, -(-count // _SPARSE))
    if stored * _SPARSE < count and count > _SPARSE:
        raise ImageError(
            f"{name}: {stored} of {count:,} chunks found for the {' x '.join(map(str, array.shape))} values that its "
            "metadata claim: the metadata are damaged or the copy is incomplete; copy or download it again"
        )
    return () if stored else (f"none of its {count:,} chunks is there: it is read as blank; is its copy complete?",)


def _require_sizes(folder: Location, name: str) -> None:
    """Raise `ImageError` where chunks have no size, which newer versions of zarr take for 1."""
    for file, place in _METADATA.items():
        content = read_if_there(join(folder, file))
        if content is None:
            continue
        found = json.loads(content)
        for key in place:
            found = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(found, list) and any(isinstance(side, int) and side < 1 for side in found):
            raise ImageError(f"{name}: chunks of {found} values found, sides of 1 or more expected: it is damaged")


def _names(folder: Location) -> Iterator[str] | None:
    """Return the names of the files below a folder, as they are found; None for a server that lists nothing."""
    path = local_path(folder)
    if path is not None:
        return (file for _, _, names in os.walk(path) for file in names)
    if str(folder).lower().startswith(("http://", "https://")):
        return None
    return _listed(str(folder))


def _listed(folder: str) -> Iterator[str]:
    """Yield the names of a store's objects, one listing at a time: few are asked for, even of very many chunks."""
    with explained("list", folder):
        fs, key = filesystem(folder)
        for _, _, names in fs.walk(key, on_error="raise"):
            yield from names


def _stored(names: Iterable[str], enough: int) -> int:
    """Return how many chunks there are, counted until they are enough."""
    chunks = (name for name in names if name and not name.startswith(".") and name != "zarr.json")
    return sum(1 for _ in islice(chunks, enough))
