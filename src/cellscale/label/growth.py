"""How far objects grow, as a user says it."""

import math
from dataclasses import dataclass
from typing import Literal

from cellscale.errors import ImageError, RequestError

__all__ = ["MOST", "Growth"]

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
