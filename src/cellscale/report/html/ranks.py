"""The order of a table's rows by each of its columns, so that a page can sort them without a script."""

import re
from collections.abc import Sequence

__all__ = ["ranks"]

_NUMBER = re.compile(r"-?\d[\d,]*(\.\d+)?(e[+-]?\d+)?")
_PARTS = re.compile(r"(\d+)")


def ranks(rows: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return each row's place by each column, from 0; numbers by value, words as people count: ``a2`` before ``a10``.

    What is empty, or a dash, comes before all else. Equal values share a place.
    """
    places = []
    for column in zip(*rows, strict=True):
        keys = [_key(text) for text in column]
        order = {key: place for place, key in enumerate(sorted(set(keys)))}
        places.append([order[key] for key in keys])
    return [list(row) for row in zip(*places, strict=True)]


def _key(text: str) -> tuple[int, float, tuple[tuple[bool, int, str], ...]]:
    if text in {"", "–"}:
        return (0, 0.0, ())
    if match := _NUMBER.match(text):
        rest = text[match.end() :]
        if not rest or rest.startswith(" "):
            return (1, float(match[0].replace(",", "")), ())
    parts = _PARTS.split(text.casefold())
    return (2, 0.0, tuple((part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts))
