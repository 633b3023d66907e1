"""Plates of many images, of which each field is one."""

from collections.abc import Mapping
from typing import Any

import zarr

__all__ = ["plate_text"]


def plate_text(group: zarr.Group, metadata: Mapping[str, Any], name: str) -> str:
    """Return the message for a plate or a well, with what to do.

    Parameters
    ----------
    group
        The plate's or the well's.
    metadata
        Its OME metadata.
    name
        Its folder's name.
    """
    wells = _paths(metadata.get("plate"), "wells")
    well = wells[0] if wells else "A/1"
    fields = _paths(metadata.get("well"), "images") or _paths(_well(group, well), "images")
    path = "/".join(([] if "well" in metadata else [well]) + [fields[0] if fields else "0"])
    stem = name.split(".", maxsplit=1)[0]
    what = f"a plate of {len(wells):,} wells" if wells else "a well" if "well" in metadata else "a plate"
    return (
        f"{name}: {what} with many images found, one image expected: each field is an image of its own. In its "
        f"folder, link or move each field beside it under a name that ends in .ome.zarr, as in "
        f"ln -s {name}/{path} {stem}_{path.replace('/', '_')}.ome.zarr, and leave this one out or move it away"
    )


def _well(group: zarr.Group, path: str) -> object:
    try:
        attributes = dict(group[path].attrs)
    except (KeyError, ValueError, OSError):  # the message does without it
        return None
    inner = attributes.get("ome", attributes)
    return inner.get("well") if isinstance(inner, Mapping) else None


def _paths(holder: object, key: str) -> list[str]:
    listed = holder.get(key) if isinstance(holder, Mapping) else None
    found = listed if isinstance(listed, list) else []
    return [str(one["path"]) for one in found if isinstance(one, Mapping) and one.get("path")]
