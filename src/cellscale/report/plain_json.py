"""Dataclasses as the JSON that pydantic makes of them, without the time that it takes to load."""

import json
import re
from dataclasses import fields, is_dataclass
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
    except TypeError:  # numpy's numbers
        return None
    return None if _UNUSUAL.search(_TEXTS.sub("", text)) else text.encode()


def _facts(value: Any) -> dict[str, Any]:
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} is nothing that JSON has")
    return {field.name: getattr(value, field.name) for field in fields(value)}
