"""What a settings file says of all images, or of some."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cellscale.storage.uri import Location

__all__ = ["Section"]


@dataclass(frozen=True, slots=True)
class Section:
    """Settings that hold for the same images."""

    pattern: str | None
    """Name of an image, or a pattern with ``*``, ``?`` or ``[...]``; None for all images."""

    values: Mapping[str, Any]
    """Values by key, as they were written: text, numbers, truth values, lists of them."""

    place: Callable[[str | None], str]
    """Tells where a key is, for messages; for None where the section begins."""

    folder: Location
    """The folder of the file: paths in it begin there."""
