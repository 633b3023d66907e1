"""Pictures of two channels and of the outlines of cells and nuclei: arrays in, arrays out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region, RegionReader

__all__ = [
    "CELL_COLOUR",
    "MEMBRANES",
    "NUCLEI",
    "NUCLEUS_COLOUR",
    "Contrast",
    "Picture",
    "compose",
    "contrast_of",
    "draw",
    "outlines",
]

NUCLEI = (70, 130, 255)
"""Nuclei in full brightness: blue, but a light one. On black, pure blue is hardly seen."""
MEMBRANES = (110, 220, 60)
"""Membranes: a yellowish green. Who does not tell red from green sees blue and yellow, of different brightness."""
CELL_COLOUR = (255, 255, 255)
"""Outlines of cells: white."""
NUCLEUS_COLOUR = (255, 225, 40)
"""Outlines of nuclei: yellow."""
PERCENTILES = (5.0, 98.0)
"""Of a channel's pixels that are not zero, those that are shown black and brightest."""

Picture = NDArray[np.uint8]
"""RGB, ``(rows, columns, 3)``."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The values of a channel that are shown black and brightest."""

    low: float
    high: float

    def stretched(self, plane: NDArray[Any]) -> NDArray[np.float32]:
        """Return brightnesses from 0 to 1, float32; what is not finite is black."""
        if self.high <= self.low:
            return np.zeros(plane.shape, np.float32)
        with np.errstate(over="ignore"):  # float64 beyond float32's range becomes infinite, then bright
            scaled = plane.astype(np.float32)
        scaled -= np.float32(self.low)
        scaled /= np.float32(self.high - self.low)
        np.nan_to_num(scaled, copy=False, nan=0, posinf=1, neginf=0)
        return np.clip(scaled, 0, 1, out=scaled)


def contrast_of(planes: Sequence[NDArray[Any]]) -> Contrast:
    """Choose the contrast of a channel from its pixels, in one or several parts.

    A channel whose pixels are all alike is shown black.
    """
    values = np.concatenate([plane.ravel() for plane in planes])
    values = values[np.isfinite(values) & (values != 0)]
    if not len(values):
        return Contrast(0, 0)
    low, high = np.percentile(values, PERCENTILES)
    return Contrast(float(low), float(high if high > low else values.max()))


def compose(nucleus: NDArray[np.float32], membrane: NDArray[np.float32]) -> Picture:
    """Return nucleus in blue and membrane in green, summed where both are.

    Parameters
    ----------
    nucleus, membrane
        Brightnesses from 0 to 1, ``(rows, columns)``.
    """
    picture = np.empty((*nucleus.shape, 3), np.uint8)
    for channel, (blue, green) in enumerate(zip(NUCLEI, MEMBRANES, strict=True)):
        summed = nucleus * np.float32(blue) + membrane * np.float32(green)
        picture[..., channel] = np.rint(np.minimum(summed, 255))
    return picture


def outlines(read: RegionReader, region: Region, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of objects that touch another object or background along an edge.

    Parameters
    ----------
    read
        Reads the labels, 0 for background; asked for one pixel more on every side.
    region
        What to look at.
    shape
        Rows and columns of the whole image.

    Returns
    -------
    ``region.shape``; the same pixels whatever regions an image is cut into.
    """
    grown = region.grown(1, shape)
    labels = read(grown)
    edge = np.zeros(labels.shape, np.bool_)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    inside: NDArray[np.bool_] = (edge & (labels > 0))[region.within(grown)]
    return inside


def draw(picture: Picture, coverage: NDArray[Any], colour: tuple[int, int, int]) -> Picture:
    """Return a picture with a colour laid over it.

    Parameters
    ----------
    picture
        What is below.
    coverage
        How much of each pixel is covered, 0 to 1, ``(rows, columns)``.
    colour
        RGB, 0 to 255.
    """
    covered = np.empty_like(picture)
    share = coverage.astype(np.float32)
    for channel, value in enumerate(colour):
        below = picture[..., channel]
        covered[..., channel] = np.rint(below + (np.float32(value) - below) * share)
    return covered
