"""Names of channels that a caller gives."""

from collections.abc import Iterable

from cellscale.errors import ImageError

__all__ = ["given_names"]


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
