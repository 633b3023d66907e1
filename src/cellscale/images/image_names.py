"""The name of an image, from its file's."""

import os
import re
from collections.abc import Mapping
from functools import cache

from cellscale.extensions import Extension, extensions
from cellscale.storage.uri import Location, base_name

__all__ = ["SUFFIXES", "TIFF_SUFFIXES", "image_name", "is_zarr", "other_suffixes", "readers"]

TIFF_SUFFIXES = (".tiff", ".tif", ".btf", ".tf2", ".tf8", ".qptiff")
"""Endings of TIFFs: BigTIFFs have three of their own, and PerkinElmer's and Akoya's scans one."""

SUFFIXES = (*(f".ome{suffix}" for suffix in TIFF_SUFFIXES), *TIFF_SUFFIXES, ".ome.zarr", ".zarr", ".npz")
"""Endings of the files that can be opened, in the order in which they are cut off; in any case of letters."""


def image_name(location: Location) -> str:
    """Return the file's name without its ending: ``a.b`` for ``folder/a.b.ome.tiff``."""
    name = base_name(location)
    for suffix in (*other_suffixes(), *SUFFIXES):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


@cache
def readers() -> Mapping[str, Extension]:
    """Return the readers by the endings of their files, in lower case, the longest first."""
    named = [(f".{name.lower().lstrip('.')}", reader) for name, reader in extensions("readers").items()]
    # What ends as our own files do is ours: another package's reader has an ending of its own, which may be longer.
    chosen = {suffix: reader for suffix, reader in named if reader.is_own or suffix not in SUFFIXES}
    return {suffix: chosen[suffix] for suffix in sorted(chosen, key=len, reverse=True)}


@cache
def other_suffixes() -> tuple[str, ...]:
    """Return the endings of the files that only readers of other packages open, in lower case, the longest first."""
    return tuple(suffix for suffix, reader in readers().items() if not reader.is_own)


def is_zarr(location: Location) -> bool:
    """Return whether a location is a Zarr folder, or in one: a part of it ends in ``.zarr``, and it is no TIFF."""
    path = os.fspath(location).lower().rstrip("/")
    return not path.endswith(TIFF_SUFFIXES) and any(part.endswith(".zarr") for part in re.split(r"[/\\]", path))
