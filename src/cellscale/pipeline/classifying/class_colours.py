"""Colours of classes: the same for the same classes, and far apart."""

import colorsys
from collections.abc import Iterable, Mapping

__all__ = ["Colour", "colours_of", "written_colour"]

Colour = tuple[int, int, int]
"""RGB, 0 to 255."""

_FIRST: tuple[Colour, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
"""Of Okabe and Ito (2008), which all eyes tell apart."""
_TURN = 0.618034
"""Of the circle of hues from one colour to the next, when those are used up."""


def colours_of(classes: Iterable[str], chosen: Mapping[str, Colour]) -> dict[str, Colour]:
    """Return a colour for each class, and for each class that one of them lies below (``A`` of ``A: B``).

    Parameters
    ----------
    classes
        Names of the classes.
    chosen
        Colours that somebody chose, by class.
    """
    names = set(classes)
    names |= {": ".join(parts[:end]) for parts in map(_parts, names) for end in range(1, len(parts))}
    free = sorted(names - chosen.keys())
    colours = {name: _colour(place) for place, name in enumerate(free)}
    return {**colours, **{name: colour for name, colour in chosen.items() if name in names}}


def written_colour(colour: Colour) -> str:
    """Return a colour as ``#rrggbb``."""
    return f"#{bytes(colour).hex()}"


def _parts(name: str) -> list[str]:
    return [part.strip() for part in name.split(":")]


def _colour(place: int) -> Colour:
    if place < len(_FIRST):
        return _FIRST[place]
    light = 0.55 if place % 2 else 0.7
    red, green, blue = colorsys.hls_to_rgb(place * _TURN % 1, light, 0.65)
    return round(red * 255), round(green * 255), round(blue * 255)
