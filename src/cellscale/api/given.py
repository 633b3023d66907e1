"""What callers hand over: images, names and networks."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from types import UnionType
from typing import Any, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.matching import Matching
from cellscale.cells.text import Dialect
from cellscale.errors import MaskError, RequestError
from cellscale.images.combine_words import Combine
from cellscale.images.info import Image, ImageInfo
from cellscale.images.masks import whole_labels
from cellscale.images.open import open_image, with_facts
from cellscale.label.parameters import Parameters
from cellscale.predict.devices import Precision
from cellscale.predict.heads import COMPARTMENTS
from cellscale.predict.input_format import InputFormat
from cellscale.preprocess.preprocessing import MESMER, Preprocessing, RescaleChannels
from cellscale.regions import RegionReader

__all__ = [
    "Source",
    "chosen_compartments",
    "mask_reader",
    "opened_source",
    "path_text",
    "refuse_other_values",
    "refuse_preprocessing",
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
_KINDS: dict[str, tuple[type | UnionType, str]] = {
    "device": (str, "a name, such as 'auto' or 'cuda:0'"),
    "model": (str | os.PathLike | None, "a name, a path or a URI"),
    "model_hash": (str | None, "a text, the SHA-256 or MD5 of a file"),
    "model_path": (str | os.PathLike | None, "a path or a URI"),
    "nuclear": (Parameters | None, "cellscale.label.parameters.Parameters"),
    "preprocessing": (Preprocessing, "cellscale.preprocess.preprocessing.Preprocessing"),
    "whole_cell": (Parameters | None, "cellscale.label.parameters.Parameters"),
}
"""What arguments are that are of one type, and its words."""

Source: TypeAlias = str | os.PathLike[str] | NDArray[Any] | Image
"""A path or URI, an array of ``(channels, rows, columns)``, or an image that is open already."""


@contextmanager
def opened_source(source: Source, channel_names: Sequence[str] | None) -> Iterator[Image]:
    """Open what is not open; an image of the caller's stays open."""
    if isinstance(getattr(source, "info", None), ImageInfo):
        yield with_facts(cast(Image, source), channel_names=channel_names)
    else:
        with closing(open_image(cast(Any, source), channel_names=channel_names)) as image:
            yield image


def chosen_compartments(given: str | Sequence[str]) -> Sequence[str]:
    """Return the compartments that are meant, or raise `RequestError`."""
    names = several_names(given)
    if not names or not set(names) <= set(COMPARTMENTS):
        found = ", ".join(map(repr, names)) or "none"
        raise RequestError(f"compartments: {found} found; {' or '.join(map(repr, COMPARTMENTS))} expected, or both")
    return names


def refuse_other_values(**given: Any) -> None:
    """Raise `RequestError` for arguments that are none of the words, no whole numbers or not of the type expected."""
    for name, value in given.items():
        if name in _WORDS and not (isinstance(value, str) and value in _WORDS[name]):
            raise RequestError(f"{name}: {value!r} found; {' or '.join(map(repr, _WORDS[name]))} expected")
        if name in _NUMBERS and not (value is None or isinstance(value, (int, np.integer))):
            raise RequestError(f"{name}: {value!r} found; {_NUMBERS[name]} expected")
        if name in _KINDS and not isinstance(value, _KINDS[name][0]):
            raise RequestError(f"{name}: {value!r} found; {_KINDS[name][1]} expected")
        if name == "listener" and not callable(value):
            raise RequestError(f"listener: {value!r} found; a function that takes an event expected")


def several_names(names: str | Sequence[str]) -> Sequence[str]:
    """Return one name or several as several, or raise `RequestError`."""
    found = (names,) if isinstance(names, str) else names
    if not isinstance(found, Sequence) or not all(isinstance(one, str) for one in found):
        raise RequestError(f"{names!r} found, a name or several expected; a position is written '#1'")
    return found


def path_text(path: str | os.PathLike[str] | None) -> str | None:
    """Return a path or URI, or None, as text."""
    return None if path is None else os.fspath(path)


def refuse_preprocessing(given: InputFormat, preprocessing: Preprocessing) -> None:
    """Raise `RequestError` where Mesmer's preprocessing is asked for of a network with another input."""
    if given.normalisation is not None and preprocessing != MESMER:
        raise RequestError(
            "preprocessing is for networks whose input is made as Mesmer's; the package that describes this one "
            "gives it another. Leave it out"
        )


def mask_reader(mask: NDArray[Any] | None, shape: tuple[int, int], name: str) -> RegionReader | None:
    """Return a reader of a mask; `MaskError` where it is no array of labels, or of another shape than its image."""
    if mask is None:
        return None
    if isinstance(mask, np.ma.MaskedArray):
        raise MaskError(f"the {name} mask is a masked array; plain labels expected: fill it first (mask.filled(0))")
    if not all(hasattr(mask, word) for word in ("shape", "dtype", "__getitem__")):
        raise MaskError(
            f"the {name} mask is a {type(mask).__name__}; an array of labels expected: read it first, as with "
            "tifffile.imread"
        )
    if mask.shape != shape:
        raise MaskError(f"the {name} mask has the shape {mask.shape}, its image {shape}; expected the same")
    return lambda region: whole_labels(mask[region.slices], f"the {name} mask")
