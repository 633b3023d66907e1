"""Names of channels from a list, as far as an image's outputs depend on them."""

from contextlib import closing
from typing import Any

from cellscale.images.channels import has_own_names
from cellscale.images.open import open_image
from cellscale.workspace.discovery import ImageEntry

__all__ = ["names_mark"]


def names_mark(entry: ImageEntry) -> dict[str, Any]:
    """Return what is in the fingerprint of outputs that have names of channels; empty where they are the file's.

    A list that only lies beside the images is not used for those with names of their own, which their header tells.

    Raises
    ------
    ImageError
        The image is damaged.
    StorageError
        It cannot be read.
    """
    given = entry.channel_names
    if given is None or entry.image is None:
        return {}
    if given.asked_for:
        return {"names": list(given.names)}
    if given.problem is not None:
        return {}
    with closing(open_image(entry.image)) as image:
        return {} if has_own_names(image.info) else {"names": list(given.names)}
