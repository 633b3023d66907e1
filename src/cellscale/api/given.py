"""What callers hand over: images, names and networks."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.matching import Matching
from cellscale.cells.text import Dialect
from cellscale.errors import RequestError
from cellscale.images.combine_words import Combine
from cellscale.images.info import Image
from cellscale.images.open import open_image, with_facts
from cellscale.predict.devices import Precision
from cellscale.predict.heads import COMPARTMENTS
from cellscale.preprocess.preprocessing import RescaleChannels

__all__ = [
    "Source",
    "chosen_compartments",
    "opened_source",
    "refuse_other_values",
    "several_names",
]

_WORDS: dict[str, tuple[str, ...]] = {
    "combine": get_args(Combine),
    "matching": tuple(one.value for one in Matching),
    "precision": get_args(Precision),
    "qupath_version": tuple(one.value for one in Dialect),
    "rescale_channels": get_args(RescaleChannels),
}
"""What arguments may be that are one of a few words."""
_NUMBERS = {"max_memory": "bytes, such as 4 * 10**9", "workers": "a number of threads, such as 2"}
"""What arguments are that are whole numbers, or None."""

Source: TypeAlias = str | os.PathLike[str] | NDArray[Any] | Image
"""A path or URI, an array of ``(channels, rows, columns)``, or an image that is open already."""


@contextmanager
def opened_source(source: Source, channel_names: Sequence[str] | None) -> Iterator[Image]:
    """Open what is not open; an image of the caller's stays open."""
    if isinstance(source, (str, os.PathLike, np.ndarray)):
        with closing(open_image(source, channel_names=channel_names)) as image:
            yield image
    elif not hasattr(source, "info"):
        raise RequestError(
            f"{type(source).__name__} found, an image expected: a path, a URI, a numpy array or an open image"
        )
    else:
        yield with_facts(source, channel_names=channel_names)


def chosen_compartments(given: str | Sequence[str]) -> Sequence[str]:
    """Return the compartments that are meant, or raise `RequestError`."""
    names = several_names(given)
    if not names or not set(names) <= set(COMPARTMENTS):
        found = ", ".join(map(repr, names)) or "none"
        raise RequestError(f"compartments: {found} found; {' or '.join(map(repr, COMPARTMENTS))} expected, or both")
    return names


def refuse_other_values(**given: Any) -> None:
    """Raise `RequestError` for arguments that are none of the words, or no whole numbers, that they may be."""
    for name, value in given.items():
        if name in _WORDS and not (isinstance(value, str) and value in _WORDS[name]):
            raise RequestError(f"{name}: {value!r} found; {' or '.join(map(repr, _WORDS[name]))} expected")
        if name in _NUMBERS and not (value is None or isinstance(value, (int, np.integer))):
            raise RequestError(f"{name}: {value!r} found; {_NUMBERS[name]} expected")


def several_names(names: str | Sequence[str]) -> Sequence[str]:
    """Return one name or several as several, or raise `RequestError`."""
    found = (names,) if isinstance(names, str) else names
    if not isinstance(found, Sequence) or not all(isinstance(one, str) for one in found):
        raise RequestError(f"{names!r} found, a name or several expected; a position is written '#1'")
    return found
