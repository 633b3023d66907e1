"""Names of channels that a caller gives, or a list beside the images."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cellscale.errors import ImageError
from cellscale.images.channels.distinct_names import renamed
from cellscale.images.info import ImageInfo

__all__ = ["GivenNames", "given_names", "has_own_names", "with_given_names"]

_POSITION = re.compile(r"(?:c|ch|channel)?[\s_:#-]*\d+(?::\d+)?", re.IGNORECASE)
"""What programs call channels without a name: ``Channel 1``, ``Channel:0:1``, ``0``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenNames:
    """Names of channels from a list."""

    names: tuple[str, ...]
    source: str
    """What the list is called."""

    asked_for: bool
    """The user named the list; one that only lies beside the images is for images without names of their own."""

    problem: str | None = None
    """Why a list that lies beside the images cannot be used."""


def with_given_names(info: ImageInfo, given: GivenNames) -> ImageInfo:
    """Return an image's facts with the names of a list, and a note that says so.

    Raises
    ------
    ImageError
        There are not as many names as channels.
    """
    if not given.asked_for and has_own_names(info):
        text = (
            f"{given.source} beside the images is not used: the file has names of channels itself; --channel_names "
            "takes those of a list"
        )
        return replace(info, notes=(*info.notes, text))
    if given.problem is not None:
        text = f"names of channels are not known: {given.problem}"
        return replace(info, warnings=(*info.warnings, text))
    if len(given.names) != len(info.channels):
        raise ImageError(
            f"{info.name}: {len(given.names)} names of channels found in {given.source}, {len(info.channels)} "
            f"channels in the image: correct the list, or name another with --channel_names ('none' for the file's "
            f"own names)"
        )
    channels = tuple(map(renamed, info.channels, given.names))
    return replace(info, channels=channels, notes=(*info.notes, f"names of channels: {given.source}"))


def has_own_names(info: ImageInfo) -> bool:
    """Return whether an image's channels have names that are more than their positions."""
    names = [channel.name if channel.written is None else channel.written for channel in info.channels]
    return not all(_POSITION.fullmatch(name.strip()) or not name.strip() for name in names)


def given_names(names: object, count: int, image: str) -> tuple[str, ...]:
    """Return the names of an image's channels as a caller gave them.

    Parameters
    ----------
    names
        Should be one text for each channel.
    count
        Number of channels.
    image
        The image, for messages.

    Raises
    ------
    ImageError
        They are no texts, or not as many as channels.
    """
    found = tuple(names) if isinstance(names, Iterable) else (names,)
    if isinstance(names, (str, bytes)) or not all(isinstance(one, str) for one in found):
        raise ImageError(f"{image}: channel names {names!r} found; a list of {count} texts expected")
    if len(found) != count:
        raise ImageError(f"{image}: {len(found)} channel names given for {count} channels")
    return found
