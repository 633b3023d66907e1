"""Values of an OME-Zarr's metadata, each of the kind that it has to be."""

from collections.abc import Mapping
from typing import Any

from cellscale.errors import ImageError
from cellscale.written_numbers import number_in_json

__all__ = ["mapping", "mappings", "number", "text", "values"]

_SHOWN = 60


def mapping(value: object, what: str, name: str) -> Mapping[str, Any]:
    """Return an object of JSON.

    Parameters
    ----------
    value
        What was found.
    what
        What it stands for.
    name
        The image, for messages.

    Raises
    ------
    ImageError
        It is something else.
    """
    if not isinstance(value, Mapping):
        raise _refused(value, what, "an object", name)
    return value


def values(value: object, what: str, name: str) -> list[Any]:
    """Return a list of JSON; parameters and errors as of `mapping`."""
    if not isinstance(value, list):
        raise _refused(value, what, "a list", name)
    return value


def mappings(value: object, what: str, name: str) -> list[Mapping[str, Any]]:
    """Return a list of objects; an empty one where there is nothing. Parameters and errors as of `mapping`."""
    return [] if value is None else [mapping(one, f"an entry of {what}", name) for one in values(value, what, name)]


def text(value: object, what: str, name: str) -> str:
    """Return a text; parameters and errors as of `mapping`."""
    if not isinstance(value, str):
        raise _refused(value, what, "a text", name)
    return value


def number(value: object, what: str, name: str) -> float:
    """Return a number; parameters and errors as of `mapping`."""
    found = number_in_json(value)
    if found is None:
        raise _refused(value, what, "a number", name)
    return found


def _refused(value: object, what: str, expected: str, name: str) -> ImageError:
    found = repr(value)
    shown = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}..."
    return ImageError(
        f"{name}: {shown} found for {what} in its metadata, {expected} is expected: the OME-Zarr is damaged; copy or "
        "download it again, or write it again"
    )
