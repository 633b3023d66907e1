"""Finding the mask of an image, under any of the names that images may have."""

from functools import lru_cache
from pathlib import Path

from cellscale.predict.heads import Compartment
from cellscale.storage.uri import Entry, Location, find, join, listing, local_path
from cellscale.workspace.layout import mask_name

__all__ = ["find_mask"]

_ENDINGS = (".tiff", ".ome.zarr", ".tif", ".ome.tiff", ".ome.tif", ".zarr")
"""Ours first: what was made by `--relabel`, or by a later run, goes before what it was made from."""


def find_mask(folder: Location, image: str, compartment: Compartment) -> Entry | None:
    """Return an image's mask; None where there is none.

    The ending may be any that an image may have, in letters of any case. Of several masks the first counts: TIFF as
    cellscale writes it, OME-Zarr as cellscale writes it, then other endings.

    Parameters
    ----------
    folder
        Path or URI of the folder of masks.
    image
        Name of the image.
    compartment
        Whose mask.

    Raises
    ------
    StorageError
        It cannot be known whether there is one.
    """
    names = [mask_name(image, compartment, ending) for ending in _ENDINGS]
    for name in names:
        found = find(join(folder, name))
        if found is not None:
            return found
    stem = mask_name(image, compartment, "")
    others = {name.removeprefix(stem).lower(): name for name in _names(folder) if name.startswith(stem)}
    ending = next((ending for ending in _ENDINGS if ending in others), None)
    return None if ending is None else find(join(folder, others[ending]))


def _names(folder: Location) -> tuple[str, ...]:
    """Return the names in a folder; none where there is no such folder."""
    if find(folder) is None:
        return ()
    path = local_path(folder)
    return _local_names(path, path.stat().st_mtime_ns) if path is not None else _listed(folder)


@lru_cache(maxsize=4)
def _local_names(path: Path, changed: int) -> tuple[str, ...]:
    """Return the names in a folder, listed again when its time has changed, as it does with its names."""
    return _listed(path)


def _listed(folder: Location) -> tuple[str, ...]:
    return tuple(entry.name for entry in listing(folder))
