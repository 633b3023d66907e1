"""An image with all that is needed to look at it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cellscale.images.info import Image, PixelSize
from cellscale.predict.heads import Compartment
from cellscale.regions import RegionReader
from cellscale.report.findings import Role

__all__ = ["Shown", "Subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The nucleus and the membrane that pictures show: those that the network saw, or is to see."""

    full: tuple[RegionReader, RegionReader]
    """Each as one channel, at full resolution."""
    small: tuple[RegionReader, RegionReader]
    """The same at a level of the pyramid that suffices for an overview."""
    small_shape: tuple[int, int]
    """Rows and columns of that level."""
    in_strips: bool
    """Whether that level lies in strips as wide as it is, of which parts cannot be read alone."""
    small_factor: int
    """Pixels of the image along each axis that one of the level stands for."""
    nucleus: str
    """Which channels are the nucleus, and why."""
    membrane: str
    """Which channels are the membrane, and why."""
    roles: Mapping[int, Role]
    """What the image's channels are used for, by position."""
    membrane_wanted: bool
    """False where a blank membrane was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An image with its masks."""

    image: Image
    """All channels."""
    shown: Shown
    masks: Mapping[Compartment, RegionReader]
    masks_in_strips: bool
    """Whether one of them lies in strips as wide as it is, of which parts cannot be read alone."""
    pixel_size: PixelSize | None
    """None where it is not known."""
    pixel_size_source: str
    """Where µm/px are from, in words."""
    seams: float
    """Pixels from one seam of the blocks that the image was worked on in to the next."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.image.info.shape
