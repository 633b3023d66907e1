"""Dataclasses as JSON and back: nothing unknown, nothing of a wrong type, locations as what they were."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cellscale.errors import RequestError
from cellscale.storage.uri import is_uri

if TYPE_CHECKING:  # who only writes, as every measured image does, need not load it
    from pydantic import TypeAdapter, ValidationError

__all__ = ["from_json", "to_json"]

T = TypeVar("T")

_SHOWN = 5
"""Mistakes that a message names."""


def to_json(value: object, *, omit_defaults: bool = False) -> Any:
    """Return a dataclass as what ``json.dumps`` takes.

    Parameters
    ----------
    value
        A dataclass of plain values, paths and other such dataclasses.
    omit_defaults
        Leave out fields that have their default, for what is written many times and read by the same version.

    Raises
    ------
    TypeError
        A value is of another kind.
    """
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [to_json(item, omit_defaults=omit_defaults) for item in value]
    if isinstance(value, Mapping):
        return {key: to_json(item, omit_defaults=omit_defaults) for key, item in value.items()}
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"{type(value).__name__} is nothing that JSON has")
    return {
        field.name: to_json(getattr(value, field.name), omit_defaults=omit_defaults)
        for field in fields(value)
        if not (omit_defaults and _is_default(value, field))
    }


def _is_default(value: object, field: Field[Any]) -> bool:
    """Tell whether a field has the value that it has where it is left out."""
    held = getattr(value, field.name)
    if field.default is not MISSING:
        return bool(held == field.default)
    return field.default_factory is not MISSING and bool(held == field.default_factory())


def from_json(kind: type[T], facts: Any, *, what: str) -> T:
    """Return a dataclass from what ``json.loads`` gave.

    Parameters
    ----------
    kind
        The dataclass.
    facts
        Its fields.
    what
        What is being read, for messages.

    Raises
    ------
    RequestError
        A field is unknown, missing or of a wrong type.
    """
    from pydantic import ValidationError

    hashable: Any = kind
    try:
        value = _adapter(hashable).validate_json(json.dumps(facts), strict=True, extra="forbid")
    except ValidationError as error:
        raise RequestError(f"{what} is not as expected: {_explained(error)}") from error
    located: T = _located(value, facts)
    return located


@cache
def _adapter(kind: type[Any]) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _located(value: Any, facts: Any) -> Any:
    """Return a value with URIs as text: of a path or a URI the validation makes a path, which drops slashes."""
    if isinstance(value, Path):
        return facts if is_uri(facts) else value
    if isinstance(value, tuple) and not isinstance(facts, str):
        return tuple(_located(item, fact) for item, fact in zip(value, facts, strict=True))
    if is_dataclass(value) and isinstance(facts, Mapping) and not isinstance(value, type):
        changed = {name: _located(getattr(value, name), fact) for name, fact in facts.items()}
        return replace(value, **changed)
    return value


def _explained(error: "ValidationError") -> str:
    mistakes = error.errors(include_url=False, include_context=False)
    shown = [f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in mistakes[:_SHOWN]]
    more = [f"and {len(mistakes) - _SHOWN} more"] if len(mistakes) > _SHOWN else []
    return "; ".join([*shown, *more])
