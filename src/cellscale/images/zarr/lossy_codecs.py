"""Whether the codecs of a Zarr array changed numbers, which labels have to keep.

Codecs of numcodecs and of imagecodecs, with the settings by which they change nothing; those of Zarr itself change
nothing, but for two that hold numbers in other types.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from cellscale.images.lossy import Change

__all__ = ["change_of_codecs"]

_HALF = 0.5
"""Largest error of whole numbers that does not change them."""

_REVERSIBLE = 5
"""zfpy's mode that changes nothing."""

_WORST: tuple[Change, ...] = ("none", "possible", "certain")
_Settings = Mapping[str, Any]


def change_of_codecs(metadata: Mapping[str, Any]) -> tuple[Change, str]:
    """Return whether a codec of an array changed the numbers of some pixels, and its name.

    Parameters
    ----------
    metadata
        The array's, as JSON has them: of version 2 with ``filters`` and ``compressor``, of version 3 with ``codecs``.
    """
    worst: tuple[Change, str] = ("none", "")
    for name, settings in _codecs([metadata.get(key) for key in ("codecs", "filters", "compressor")]):
        look = _LOOKS.get(name.removeprefix("numcodecs."))
        try:
            change = "none" if look is None else look(settings)
        except (TypeError, ValueError):  # settings that the codec cannot have, which whoever decodes it tells
            change = "possible"
        if _WORST.index(change) > _WORST.index(worst[0]):
            worst = change, name
    return worst


def _codecs(found: object) -> Iterator[tuple[str, _Settings]]:
    """Yield name and settings of each codec, those inside of shards as well."""
    if isinstance(found, list | tuple):
        for one in found:
            yield from _codecs(one)
    elif isinstance(found, Mapping):
        settings = found.get("configuration", found)
        if isinstance(settings, Mapping):
            yield str(found.get("name", found.get("id"))), settings
            yield from _codecs(settings.get("codecs"))


def _possible(_: _Settings) -> Change:
    return "possible"


def _unless_lossless(settings: _Settings) -> Change:
    """Judge a codec that is lossy unless it is told otherwise."""
    return "none" if settings.get("lossless") else "certain"


def _by_choice(settings: _Settings) -> Change:
    """Judge a codec that may be lossless by default, which changed with its versions."""
    if settings.get("lossless"):
        return "none"
    chosen = any(settings.get(key) is not None for key in ("lossless", "level", "distance"))
    return "certain" if chosen else "possible"


def _reversible(settings: _Settings) -> Change:
    return "none" if not settings.get("level") and settings.get("reversible") is not False else "certain"


def _within_half(settings: _Settings) -> Change:
    return "none" if float(settings.get("level") or 0) <= _HALF else "certain"


def _quantize(settings: _Settings) -> Change:
    if int(settings.get("digits") or 0) < 0:  # tens and more are rounded
        return "certain"
    return _narrowed(settings.get("dtype"), settings.get("astype"))


def _scaled(settings: _Settings) -> Change:
    scale = float(settings.get("scale") or 1)
    if scale < 1:
        return "certain"
    return "possible" if scale % 1 else _narrowed(settings.get("dtype"), settings.get("astype"))


def _cast(settings: _Settings) -> Change:
    return _narrowed(settings.get("decode_dtype"), settings.get("encode_dtype"))


def _narrowed(dtype: Any, stored: Any) -> Change:
    """Judge numbers of one type that are stored in another."""
    if stored is None or dtype is None:
        return "none"
    return "none" if np.can_cast(np.dtype(dtype), np.dtype(stored)) else "possible"


_LOOKS: dict[str, Callable[[_Settings], Change]] = {
    "astype": _cast,
    "fixedscaleoffset": _scaled,
    "imagecodecs_jpeg": _unless_lossless,
    "imagecodecs_jpeg2k": _reversible,
    "imagecodecs_htj2k": _reversible,
    "imagecodecs_jpegls": _within_half,
    "imagecodecs_lerc": _within_half,
    "imagecodecs_jpegxl": _by_choice,
    "imagecodecs_webp": _by_choice,
    "quantize": _quantize,
    "zfpy": lambda settings: "none" if settings.get("mode") == _REVERSIBLE else "possible",
    **dict.fromkeys(("bitround", "cast_value", "scale_offset"), _possible),
    **dict.fromkeys(
        (
            f"imagecodecs_{name}"
            for name in (
                "avif", "bfloat16", "cms", "dds", "eer", "exr", "float24", "gif", "hcomp", "heif", "jpegxr", "jpegxs",
                "pixarlog", "quantize", "rgbe", "sperr", "sz3", "tiff", "ultrahdr", "wavpack", "wic", "zfp",
            )
        ),
        _possible,
    ),
}  # fmt: skip
"""Codecs that may change numbers, by name."""
