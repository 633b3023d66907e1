"""Dataclasses as the JSON that pydantic makes of them, without the time that it takes to load."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

__all__ = ["plain_json"]

_TEXTS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_UNUSUAL = re.compile(r"\de|NaN|Infinity")
"""Numbers that pydantic writes in another way, where texts are left out."""


def plain_json(value: object, *, indent: int | None = None) -> bytes | None:
    """Return a dataclass as JSON; None where pydantic would write it in another way.

    Parameters
    ----------
    value
        A dataclass of numbers, texts, and tuples, mappings and other dataclasses of those.
    indent
        Spaces before what is one deeper; None for no lines.
    """
    marks = (",", ":" if indent is None else ": ")
    try:
        text = json.dumps(value, default=_facts, ensure_ascii=False, indent=indent, separators=marks)
    except TypeError:  # numpy's numbers, and whole ones in place of others
        return None
    return None if _UNUSUAL.search(_TEXTS.sub("", text)) else text.encode()


def _facts(value: Any) -> dict[str, Any]:
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} is nothing that JSON has")
    facts = {field.name: getattr(value, field.name) for field in fields(value)}
    kind: Any = type(value)
    if any(_has_whole(facts[name]) for name in _never_whole(kind)):
        raise TypeError("2 where 2.0 is meant")
    return facts


@cache
def _never_whole(kind: Any) -> tuple[str, ...]:
    """Return the fields of a dataclass whose numbers are written with a point, whatever they are."""
    types = {field.name: str(field.type) for field in fields(kind)}
    return tuple(name for name, text in types.items() if "float" in text and "int" not in text)


def _has_whole(value: object) -> bool:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    return any(map(_has_whole, value)) if isinstance(value, tuple | list) else isinstance(value, int)
