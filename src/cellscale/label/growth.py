"""How far objects grow, as a user says it."""

import math
import re
from dataclasses import dataclass
from typing import Literal

from cellscale.errors import ImageError, RequestError
from cellscale.written_numbers import decimal_number

__all__ = ["MOST", "Growth", "as_growth"]

_WRITTEN = re.compile(r"\s*(.*?)\s*(um|µm|μm|px)\s*", re.IGNORECASE)
"""A number and its unit; of micro there are two signs."""

MOST = 100
"""Pixels that objects may grow: each row of an image is written with so many of its neighbours around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A length in micrometres or in the image's own pixels.

    Raises
    ------
    RequestError
        If it is below 0, or not finite.
    """

    length: float
    unit: Literal["um", "px"] = "px"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.length) and self.length >= 0):
            raise RequestError(f"cells are to be expanded by {self}; give a length of 0 or more")
        if self.unit == "px" and self.length > MOST:
            raise RequestError(f"cells are to be expanded by {self}; give at most {MOST} pixels")

    def __str__(self) -> str:
        return f"{self.length:g}{self.unit}"

    def pixels(self, mpp: float) -> float:
        """Return how many pixels that is in an image of so many µm/px.

        Raises
        ------
        ImageError
            It is more than labels can grow.
        """
        if self.unit == "px":
            return self.length
        found = self.length / mpp
        if found > MOST:
            raise ImageError(
                f"cells are to be expanded by {self}, which are {found:.0f} pixels at {mpp:g} µm/px; at most {MOST} "
                "pixels can be. Give less, or the right size of a pixel with --image_mpp."
            )
        return found


def as_growth(length: "Growth | str") -> Growth:
    """Return a length that may be written, such as ``3um`` or ``5px``.

    Raises
    ------
    RequestError
        It is none.
    """
    if isinstance(length, Growth):
        return length
    found = _WRITTEN.fullmatch(length) if isinstance(length, str) else None
    number = decimal_number(found[1]) if found else None
    if found is None or number is None:
        raise RequestError(f"{length!r} is not a length; write for example 3um or 5px")
    return Growth(length=number, unit="px" if found[2].lower() == "px" else "um")
