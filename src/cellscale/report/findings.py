"""What was seen in one image, kept as JSON until the report is written."""

import base64
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cellscale.predict.heads import Compartment
from cellscale.report.flags import Flag
from cellscale.report.pictures.crops import Why
from cellscale.report.pictures.picture import Picture
from cellscale.report.plain_json import plain_json
from cellscale.report.sample import Intensities

if TYPE_CHECKING:  # takes a twentieth of the time of a small image, which does without
    from pydantic import TypeAdapter

__all__ = [
    "Areas",
    "ChannelLook",
    "CompartmentLook",
    "CropLook",
    "Findings",
    "Focus",
    "look_from_json",
    "look_to_json",
    "webp",
]

Role: TypeAlias = Literal["nucleus", "membrane", "other"]

_QUALITY = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLook:
    """One channel of the image."""

    name: str
    role: Role
    """What the channel was used for in segmentation."""
    intensities: Intensities


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """The areas of a mask's objects, in µm², or in pixels where µm/px are not known."""

    counts: tuple[int, ...]
    """Objects by area, in bins of equal width from 0 to ``high``; larger ones, 1 % at most, are left out."""
    high: float
    quartiles: tuple[float, float, float]

    @classmethod
    def of(cls, areas: NDArray[np.floating], bins: int = 50) -> "Areas | None":
        """Describe areas; None where there are none."""
        if not len(areas):
            return None
        lower, median, upper = (float(value) for value in np.percentile(areas, (25, 50, 75)))
        high = float(max(np.percentile(areas, 99), 1.1 * upper))
        counts, _ = np.histogram(areas, bins=bins, range=(0, high))
        return cls(counts=tuple(int(count) for count in counts), high=high, quartiles=(lower, median, upper))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompartmentLook:
    """The objects of one mask."""

    count: int
    areas: Areas | None
    """None without objects."""
    at_border: int
    """Objects that touch the border of the image."""
    alone: int | None
    """Cells without a nucleus, or nuclei without a cell; None where there is no other mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CropLook:
    """A part of the image at full resolution."""

    whys: tuple[Why, ...]
    x: int
    """Column of its first pixel."""
    y: int
    """Row of its first pixel."""
    width: int
    height: int
    input: str
    """Picture as WebP, base64."""
    overlay: str
    """The same with outlines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """How sharp the nucleus channel is."""

    parts: int
    """Parts of the image that could be judged."""
    blurred: int
    """Those of them that are out of focus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that the report says of an image's pixels and objects."""

    shape: tuple[int, int]
    """Rows and columns."""
    dtype: str
    pixel_size: tuple[float, float] | None
    """µm along x and y; None where not known."""
    pixel_size_source: str
    nucleus: str
    """Which channels show nuclei, and why they were taken."""
    membrane: str
    """Which channels show membranes, and why they were taken."""
    channels: tuple[ChannelLook, ...]
    sampled: float
    """Share of the image's pixels that the intensities are taken from."""
    compartments: dict[Compartment, CompartmentLook]
    tile: int
    """Side of the tiles of ``tiles`` in pixels."""
    tiles: tuple[tuple[int, ...], ...]
    """Numbers of cells, or of nuclei where there is no mask of cells, in square tiles of the image."""
    focus: Focus
    input: str
    """The overview, WebP, base64."""
    overlay: str
    """The same with outlines."""
    thumbnail: str
    """The same, smaller."""
    close_up: str
    """The middle of the first crop with outlines; empty where there is no crop."""
    crops: tuple[CropLook, ...]
    flags: tuple[Flag, ...]


def webp(picture: Picture) -> str:
    """Return a picture as WebP in base64: half the size of a JPEG, and outlines of one pixel stay sharp."""
    data = imagecodecs.webp_encode(np.ascontiguousarray(picture), level=_QUALITY, lossless=False)
    return base64.b64encode(data).decode("ascii")


def look_to_json(look: Findings) -> bytes:
    """Return a look as JSON."""
    text = plain_json(look)
    if text is None:
        return _adapter().dump_json(look)
    _written[:] = [(text, look)]
    return text


def look_from_json(text: bytes) -> Findings | None:
    """Return the look that `look_to_json` wrote; None where it is damaged or from another version."""
    for last, look in tuple(_written):
        if text == last:
            return look
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(text)
    except ValidationError:
        return None


_written: list[tuple[bytes, Findings]] = []
"""The last look that was written, which is that of a run's only image: its report need not read it again."""


@cache
def _adapter() -> "TypeAdapter[Findings]":
    from pydantic import TypeAdapter

    return TypeAdapter(Findings)
