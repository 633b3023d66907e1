"""The pictures of one image: an overview and crops, each with and without outlines."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.heads import Compartment
from cellscale.regions import Region
from cellscale.report.pictures.local_contrast import evened
from cellscale.report.pictures.overview import block_means, cell_size, fitted
from cellscale.report.pictures.picture import (
    CELL_COLOUR,
    NUCLEUS_COLOUR,
    Contrast,
    Picture,
    compose,
    contrast_of,
    draw,
    outlines,
)
from cellscale.report.subject import Subject

__all__ = ["Crop", "Overview", "view_crops", "view_overview"]

COLOURS: dict[Compartment, tuple[int, int, int]] = {"whole-cell": CELL_COLOUR, "nuclear": NUCLEUS_COLOUR}
"""Outlines in the order in which they are drawn."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A whole image, each pixel the mean of a square of the image's."""

    cell: int
    """Side of the squares in pixels."""
    contrasts: tuple[Contrast, Contrast]
    """Of nucleus and membrane."""
    input: Picture
    """Without outlines."""
    outlines: Mapping[Compartment, NDArray[np.float32]]
    """Share of each square that is outline."""
    brightness: NDArray[np.float32]
    """Of both channels together, by one contrast for the whole image."""

    @property
    def overlay(self) -> Picture:
        """The overview with outlines: what the whole picture looks like from afar."""
        return _outlined(self.input, self.outlines)

    def signal(self, grid: tuple[int, int], side: int) -> NDArray[np.float64]:
        """Return how bright the tiles of ``side`` pixels are on average, ``grid``."""
        bright = self.brightness.astype(np.float64)
        starts = [
            np.minimum(np.arange(count) * side // self.cell, size - 1)
            for count, size in zip(grid, bright.shape, strict=True)
        ]
        sums = np.add.reduceat(np.add.reduceat(bright, starts[0], axis=0), starts[1], axis=1)
        sizes = [np.maximum(np.diff(np.append(s, n)), 1) for s, n in zip(starts, bright.shape, strict=True)]
        means: NDArray[np.float64] = sums / np.outer(*sizes)
        return means


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of an image at full resolution."""

    input: Picture
    """Without outlines."""
    overlay: Picture
    """With outlines."""


def view_overview(subject: Subject, edges: Mapping[Compartment, NDArray[np.float32]], pool: Executor) -> Overview:
    """Make the overview of an image; it is read in parts, each once, in the threads of ``pool``.

    Parameters
    ----------
    subject
        The image.
    edges
        Share of each pixel of the overview that is outline.
    pool
        Reads.
    """
    shape, shown = subject.shape, subject.shown
    cell = cell_size(shape)
    size = (-(-shape[0] // cell), -(-shape[1] // cell))
    step = cell // shown.small_factor
    means = (block_means(read, shown.small_shape, step, pool, strips=shown.in_strips) for read in shown.small)
    planes = [fitted(plane, size) for plane in means]
    contrasts = (contrast_of([planes[0]]), contrast_of([planes[1]]))
    nucleus, membrane = (contrast.stretched(plane) for contrast, plane in zip(contrasts, planes, strict=True))
    brightness = np.rint(nucleus * 255) + np.rint(membrane * 255)
    if cell > 1:  # pixel by pixel it is seen as its parts up close are
        nucleus, membrane = evened(nucleus), evened(membrane)
    return Overview(cell, contrasts, compose(nucleus, membrane), edges, brightness)


def view_crops(
    subject: Subject, regions: Iterable[Region], contrasts: tuple[Contrast, Contrast] | None
) -> list[Crop]:
    """Return parts of an image at full resolution.

    Parameters
    ----------
    subject
        The image.
    regions
        The parts.
    contrasts
        Of nucleus and membrane; None for one that suits all the parts together.
    """
    regions = list(regions)
    parts = [[read(region) for region in regions] for read in subject.shown.full]
    if contrasts is None:
        contrasts = (contrast_of(parts[0]), contrast_of(parts[1]))
    crops = []
    for region, *planes in zip(regions, *parts, strict=True):
        edges = {
            compartment: outlines(read, region, subject.shape).astype(np.float32)
            for compartment, read in subject.masks.items()
        }
        picture = _composed(planes, contrasts)
        crops.append(Crop(picture, _outlined(picture, edges)))
    return crops


def _composed(planes: list[NDArray[np.float32]], contrasts: tuple[Contrast, Contrast]) -> Picture:
    nucleus, membrane = (contrast.stretched(plane) for contrast, plane in zip(contrasts, planes, strict=True))
    return compose(nucleus, membrane)


def _outlined(picture: Picture, edges: Mapping[Compartment, NDArray[np.float32]]) -> Picture:
    for compartment, colour in COLOURS.items():
        if compartment in edges:
            picture = draw(picture, edges[compartment], colour)
    return picture
