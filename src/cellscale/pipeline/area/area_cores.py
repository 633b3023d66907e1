"""The rectangles of an image that are labelled where only a part of it is wanted."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.annotations import WantedArea
from cellscale.regions import Region, blocks

__all__ = ["LONGEST_HOLE", "AreaCores", "spread"]

FIRST_MARGIN = 96
"""Pixels around the area that are labelled with it at first: cells at its border, and those beside them, are seen
whole. In dense tissue at 0.5 µm/px, 64 are too few at two places in 4,000 pixels of border, and 96 only where a cell
has 100 pixels or more."""

LONGEST_HOLE = 256
"""Pixels from a hole's farthest pixel to its object: only a thread of that many pixels would be longer."""

SPREADING = (64, 32, 16)
"""Pixels by which one side of a rectangle is moved on, the larger ones first."""

SMALL_REACH = 24
"""Pixels from which cells may grow towards each other within that margin, as a rule."""


@dataclass(frozen=True, slots=True)
class AreaCores:
    """What has to be labelled, at the network's pixel size."""

    area: WantedArea
    """In the image's own pixels."""

    image_shape: tuple[int, int]
    shape: tuple[int, int]
    """Rows and columns that the network sees."""

    growth: float = 0.0
    """Pixels of the image by which labels will grow."""

    @property
    def scale(self) -> tuple[float, float]:
        """The network's pixels a pixel of the image, down and across."""
        return self.shape[0] / self.image_shape[0], self.shape[1] / self.image_shape[1]

    @property
    def reach(self) -> int:
        """Pixels of the network from which labels can keep others from growing."""
        return math.ceil(2 * self.growth * max(self.scale)) + 1 if self.growth else 0

    @property
    def first_margin(self) -> int:
        """Pixels of the network around the area to begin with: the same for all small growths."""
        return FIRST_MARGIN + max(self.reach - SMALL_REACH, 0)

    def cores(self, side: int, margins: Sequence[int] | None = None) -> list[Region]:
        """Return of each block, in raster order, the part that is to be labelled; an empty rectangle for nothing.

        Parameters
        ----------
        side
            Rows and columns of a block.
        margins
            Of each block, pixels around the area; None to begin with.
        """
        each = list(blocks(self.shape, (side, side)))
        wide = [self.first_margin] * len(each) if margins is None else margins
        return [self._core(block, margin) for block, margin in zip(each, wide, strict=True)]

    def around(self, indices: Iterable[int], side: int) -> frozenset[int]:
        """Return blocks of so many rows and columns, by their places in raster order, and those within reach."""
        down, across = (-(-length // side) for length in self.shape)
        far = max(-(-max(self.reach, LONGEST_HOLE) // side), 1)
        return frozenset(
            row * across + column
            for index in indices
            for row in range(max(index // across - far, 0), min(index // across + far + 1, down))
            for column in range(max(index % across - far, 0), min(index % across + far + 1, across))
        )

    def in_image(self, cores: Iterable[Region], around: int, side: int) -> list[Region]:
        """Return the blocks of the image that hold rectangles of the network's with so many pixels around them."""
        across = -(-self.image_shape[1] // side)
        found: set[int] = set()
        for core in cores:
            if core.size:
                part = self._in_image(core).grown(around, self.image_shape)
                rows = range(part.top // side, -(-part.bottom // side))
                columns = range(part.left // side, -(-part.right // side))
                found.update(row * across + column for row in rows for column in columns)
        every = list(blocks(self.image_shape, (side, side)))
        return [every[index] for index in sorted(found)]

    def touched(self, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which objects may be in the area, once they have grown.

        Parameters
        ----------
        boxes
            Top, left, bottom and right of each, ``(n, 4)``, in the network's pixels.
        """
        down, across = self.scale
        beyond = self.growth + 1
        found = boxes[:, [1, 0, 3, 2]] / [across, down, across, down]
        return self.area.touched(found + np.array([-beyond, -beyond, beyond, beyond]))

    def _core(self, block: Region, margin: int) -> Region:
        nothing = Region(block.top, block.left, block.top, block.left)
        part = self.area.part(self._in_image(block.grown(margin, self.shape)))
        if part is None:
            return nothing
        down, across = self.scale
        seen = Region(
            math.floor(part.top * down),
            math.floor(part.left * across),
            math.ceil(part.bottom * down),
            math.ceil(part.right * across),
        ).grown(margin, self.shape)
        core = Region(
            max(seen.top, block.top),
            max(seen.left, block.left),
            min(seen.bottom, block.bottom),
            min(seen.right, block.right),
        )
        return core if core.height > 0 and core.width > 0 else nothing

    def _in_image(self, region: Region) -> Region:
        """Return the rectangle of the image that holds one of the network's."""
        down, across = self.scale
        return Region(
            max(math.floor(region.top / down) - 1, 0),
            max(math.floor(region.left / across) - 1, 0),
            min(math.ceil(region.bottom / down) + 1, self.image_shape[0]),
            min(math.ceil(region.right / across) + 1, self.image_shape[1]),
        )


def spread(cores: Sequence[Region], shape: tuple[int, int], side: int, near: Callable[[Region], Any]) -> list[Region]:
    """Return rectangles as wide as what is computed for them anyway.

    What cells at the end of the area need is then more often there, and nothing has to be widened.

    Parameters
    ----------
    cores
        What is to be labelled of each block, in raster order; an empty rectangle for nothing.
    shape
        Rows and columns of the image.
    side
        Rows and columns of a block.
    near
        Returns what has to be computed to label a rectangle.
    """
    return [
        _spread(core, block, near) if core.size else core
        for core, block in zip(cores, blocks(shape, (side, side)), strict=True)
    ]


def _spread(core: Region, block: Region, near: Callable[[Region], Any]) -> Region:
    needed = near(core)
    for name, sign in (("top", -1), ("left", -1), ("bottom", 1), ("right", 1)):
        end = getattr(block, name)
        for step in SPREADING:
            moved = getattr(core, name) + sign * step
            wider = replace(core, **{name: min(moved, end) if sign > 0 else max(moved, end)})
            if near(wider) == needed:
                core = wider
    return core
