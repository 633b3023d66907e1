"""How the values of a channel become what a network takes: by facts of the whole image, or by fixed numbers."""

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Fixed", "Normalisation", "Percentiles", "ZScore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Two percentiles of a channel become 0 and 1: exact ones, of all pixels that the network sees of the image."""

    low: float = 0.1
    """From 0 to 100; 0 is the smallest value."""

    high: float = 99.9
    """From 0 to 100; 100 is the largest value."""

    clip: tuple[float, float] | None = (0.0, 1.0)
    """What lies beyond becomes these; None: it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZScore:
    """A channel's mean becomes 0, and a standard deviation more than that 1, both of the whole image."""

    clip: tuple[float, float] | None = None
    """What lies beyond becomes these; None: it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Values less a number, divided by another, whatever else the image shows."""

    offset: float = 0.0
    divisor: float = 1.0
    """Not 0; 65535 brings pixels of 16 bits to 0..1."""

    clip: tuple[float, float] | None = None
    """What lies beyond becomes these; None: it stays."""


Normalisation: TypeAlias = Percentiles | ZScore | Fixed
