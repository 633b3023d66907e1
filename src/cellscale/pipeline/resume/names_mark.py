"""Names of channels from a list, as far as an image's outputs depend on them."""

from contextlib import closing
from dataclasses import replace
from typing import Any

from cellscale.images.channels import GivenNames, has_own_names
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image

__all__ = ["names_mark"]


def names_mark(entry: ImageEntry) -> dict[str, Any]:
    """Return what outputs with names of channels depend on besides the file; empty where that is nothing.

    A list that only lies beside the images is not used for those with names of their own, which their header tells.

    Raises
    ------
    ImageError
        The image is damaged.
    StorageError
        It cannot be read.
    """
    axis = {} if entry.channel_axis in (None, "C") else {"axis": entry.channel_axis}
    given = entry.channel_names
    if given is None or entry.image is None or not (given.asked_for or _is_for(entry, given)):
        return axis
    return {**axis, "names": list(given.names)}


def _is_for(entry: ImageEntry, given: GivenNames) -> bool:
    """Return whether a list that lies beside the images names the channels of one."""
    if given.problem is not None:
        return False
    with closing(open_entry_image(replace(entry, channel_names=None))) as image:
        return not has_own_names(image.info)
