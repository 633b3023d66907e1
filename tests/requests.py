"""Requests by the words of the command line."""

from collections import defaultdict
from dataclasses import fields
from typing import Any

from cellscale.engines.engine_request import BatchOptions, DaskOptions
from cellscale.pipeline.request import Request

__all__ = ["batch_options", "request_for"]

_PARTS = {
    "image_filter": ("images", "prefix"),
    "nuclear_channels": ("channels", "nuclear"),
    "membrane_channels": ("channels", "membrane"),
    "image_mpp": ("channels", "mpp"),
    "model_path": ("network", "path"),
    "model_hash": ("network", "checksum"),
}
_ENGINES = {field.name for field in fields(BatchOptions)} | {f"dask_{field.name}" for field in fields(DaskOptions)}


def request_for(paths, **words) -> Request:
    """Return a request, its parts from words such as ``image_mpp`` or ``mask_format``."""
    own = {field.name: field for field in fields(Request)}
    parts: dict[str, dict[str, Any]] = defaultdict(dict)
    whole = {}
    for word, value in words.items():
        if word in _ENGINES or word == "engine":
            continue
        if word in own and not hasattr(own[word].default_factory, "__dataclass_fields__"):
            whole[word] = value
            continue
        part, name = _PARTS.get(word) or (_part_with(word, own), word)
        parts[part][name] = value
    return Request(
        paths=paths, **whole, **{part: own[part].default_factory(**facts) for part, facts in parts.items()}
    )


def _part_with(word, own) -> str:
    """Return the one part that has a field of this name."""
    (part,) = (
        name for name, field in own.items() if word in getattr(field.default_factory, "__dataclass_fields__", {})
    )
    return part


def batch_options(**words) -> BatchOptions:
    """Return those of the words that are for Batch alone."""
    return BatchOptions(**{word: value for word, value in words.items() if word in _ENGINES})
