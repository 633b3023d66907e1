"""What a user may set about preprocessing."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cellscale.errors import RequestError

__all__ = ["MESMER", "MODEL_MPP", "Preprocessing", "RescaleChannels"]

MODEL_MPP = 0.5
"""µm/px of the images that Mesmer was trained on."""

RescaleChannels: TypeAlias = Literal["none", "percentile", "minmax", "zscore"]
"""How channels are rescaled, each by itself, before they are combined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """How channels become the network's input.

    Raises
    ------
    RequestError
        If a value is out of its range.
    """

    percentile: float = 99.9
    """Brighter pixels than this percentile of a channel's non-zero ones are clipped to it; 100 clips none."""

    clahe: bool = True
    """Even out the contrast by contrast-limited adaptive histogram equalisation."""

    clahe_kernel: int = 128
    """Side, in pixels that the network sees, of the squares whose histograms are equalised."""

    def __post_init__(self) -> None:
        if not 0 < self.percentile <= 100:
            raise RequestError(f"percentile is {self.percentile}; give a value above 0, up to 100")
        if not 8 <= self.clahe_kernel <= 1024:
            raise RequestError(f"CLAHE's kernel is {self.clahe_kernel}; give a whole number from 8 to 1024 pixels")


MESMER = Preprocessing()
"""Mesmer's values."""
