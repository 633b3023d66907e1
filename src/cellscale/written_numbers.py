"""Numbers as files and users write them.

Python's ``int`` and ``float`` read more than people write: ``0_5`` is 5 to them, and so are digits of any script.
What is read here is read alike by other programs.
"""

import math
import re

__all__ = ["decimal_number", "number_in_json", "whole_number"]

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DIGITS = 40
"""More are no number that anything here can have, and take Python long to read."""


def whole_number(text: str | None) -> int | None:
    """Read a whole number in decimal digits, with or without a sign; None where the text is none.

    Parameters
    ----------
    text
        May have white space around it. None gives None.
    """
    stripped = (text or "").strip()
    return int(stripped) if len(stripped) <= _DIGITS and _WHOLE.fullmatch(stripped) else None


def decimal_number(text: str | None) -> float | None:
    """Read a finite number with or without a fraction and an exponent; None where the text is none.

    Parameters
    ----------
    text
        May have white space around it. None gives None.
    """
    stripped = (text or "").strip()
    if not _DECIMAL.fullmatch(stripped):
        return None
    value = float(stripped)
    return value if math.isfinite(value) else None


def number_in_json(value: object) -> float | None:
    """Return a finite number that JSON holds as a number, or as text that is one; None for anything else."""
    if isinstance(value, str):
        return decimal_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON's whole numbers have no end
        return None
    return number if math.isfinite(number) else None
