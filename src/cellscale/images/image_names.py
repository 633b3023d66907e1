"""The name of an image, from its file's."""

import os
import re

from cellscale.storage.uri import Location, base_name

__all__ = ["SUFFIXES", "TIFF_SUFFIXES", "image_name", "is_zarr"]

TIFF_SUFFIXES = (".tiff", ".tif", ".btf", ".tf2", ".tf8", ".qptiff")
"""Endings of TIFFs: BigTIFFs have three of their own, and PerkinElmer's and Akoya's scans one."""

SUFFIXES = (*(f".ome{suffix}" for suffix in TIFF_SUFFIXES), *TIFF_SUFFIXES, ".ome.zarr", ".zarr", ".npz")
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
    return not path.endswith(TIFF_SUFFIXES) and any(part.endswith(".zarr") for part in re.split(r"[/\\]", path))
