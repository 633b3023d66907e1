"""The name of an image, from its file's."""

import os
import re

from cellscale.storage.uri import Location, base_name

__all__ = ["SUFFIXES", "image_name", "is_zarr"]

SUFFIXES = (".ome.tiff", ".ome.tif", ".tiff", ".tif", ".ome.zarr", ".zarr", ".npz")
"""Endings of the files that can be opened, in the order in which they are cut off; in any case of letters."""


def image_name(location: Location) -> str:
    """Return the file's name without its ending: ``a.b`` for ``folder/a.b.ome.tiff``."""
    name = base_name(location)
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def is_zarr(location: Location) -> bool:
    """Return whether a location is a Zarr folder, or in one: a part of it ends in ``.zarr``, and it is no TIFF."""
    path = os.fspath(location).lower().rstrip("/")
    return not path.endswith((".tif", ".tiff")) and any(part.endswith(".zarr") for part in re.split(r"[/\\]", path))
