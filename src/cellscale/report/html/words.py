"""How the report writes numbers and reasons."""

from collections.abc import Sequence

from cellscale.report.pictures.crops import Why

__all__ = ["FILTERS", "count", "number", "percent"]

_WHYS: dict[Why, str] = {
    "most": "most objects",
    "fewest": "few objects, though there is signal",
    "doubt": "most cells without a nucleus and nuclei without a cell",
    "seam": "a seam between blocks runs through the middle: no cell may be cut along it",
}


def count(value: int | None) -> str:
    """Write a whole number; a dash for None."""
    return "–" if value is None else f"{value:,}"


def number(value: float) -> str:
    """Write a number with three digits that say something."""
    if abs(value) >= 1000 and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percent(share: float) -> str:
    """Write a share as a percentage."""
    return "100 %" if share >= 1 else f"{100 * share:.2g} %"


def seconds(value: float) -> str:
    """Write a duration."""
    if value < 100:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def size(value: int) -> str:
    """Write an amount of memory."""
    return f"{value / 1e9:.2f} GB"


def whys(reasons: Sequence[Why]) -> str:
    """Write why a part was chosen."""
    return sentence("; ".join(_WHYS[why] for why in reasons))


def sentence(text: str) -> str:
    """Write the first letter large, and a full stop at the end."""
    return f"{text[:1].upper()}{text[1:]}."


FILTERS = {
    "count": count,
    "number": number,
    "percent": percent,
    "seconds": seconds,
    "bytes": size,
    "whys": whys,
    "sentence": sentence,
}
"""By the names that templates use."""
