"""JSON with the layout, escapes and numbers of Gson, the library that QuPath writes it with."""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias, Union

__all__ = ["Json", "JsonObject", "Written", "java_double", "to_json", "written"]

Json: TypeAlias = Union["JsonObject", list["Json"], str, int, float, bool, None]
JsonObject: TypeAlias = dict[str, Json]

_ESCAPED = re.compile("[<>&='\u2028\u2029\ud800-\udfff]")
"""What Gson escapes so that JSON may stand inside HTML or JavaScript, and halves of pairs, which UTF-8 lacks."""


class Written(str):
    """The JSON text of a value inside another; it is taken as it is."""

    __slots__ = ()


def written(value: Json, depth: int) -> Written:
    """Return the pretty JSON text of a value that lies inside ``depth`` others."""
    return Written("".join(_pieces(value, "\n" + depth * "  ")))


def to_json(value: Json, *, pretty: bool) -> str:
    """Return the JSON text of a value.

    Parameters
    ----------
    value
        Dictionaries keep their order.
    pretty
        One item a line, indented by two blanks; or everything in one line without blanks.
    """
    return "".join(_pieces(value, "\n" if pretty else ""))


def java_double(value: float) -> str:
    """Return a number as Java's ``Double.toString`` does: in scientific notation below 0.001 and from 10,000,000."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, *others = map(str, digits)
    return f"{'-' * sign}{first}.{''.join(others) or '0'}E{int(exponent) + len(others)}"


def _pieces(value: Json, line: str) -> Iterator[str]:
    """Yield the text of a value; ``line`` is the line break and indentation before its closing bracket."""
    if isinstance(value, dict):
        colon = ": " if line else ":"
        items = [(_string(key) + colon, item) for key, item in value.items()]
        yield from _bracketed("{}", items, line)
    elif isinstance(value, list):
        yield from _bracketed("[]", [("", item) for item in value], line)
    elif isinstance(value, Written):
        yield value
    elif isinstance(value, str):
        yield _string(value)
    elif isinstance(value, float):
        yield java_double(value)
    else:
        yield json.dumps(value)


def _bracketed(brackets: str, items: list[tuple[str, Json]], line: str) -> Iterator[str]:
    inner = line and line + "  "
    yield brackets[0]
    for index, (key, item) in enumerate(items):
        yield f"{',' if index else ''}{inner}{key}"
        yield from _pieces(item, inner)
    yield (line if items else "") + brackets[1]


def _string(text: str) -> str:
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
