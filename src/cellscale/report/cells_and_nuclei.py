"""Who lives where: objects of both masks, their sizes, and where cells and nuclei disagree."""

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.label_table import LabelTable, survey
from cellscale.cells.matching import Matching, match
from cellscale.cells.scratch_arrays import Scratch
from cellscale.cells.uint32_masks import label_reader
from cellscale.regions import Region, RegionReader

__all__ = ["MaskObjects", "TileCounts", "at_border", "take_census"]


@dataclass(frozen=True, slots=True)
class TileCounts:
    """Numbers of objects by square tile of the image, each object counted once, at the centre of its box."""

    cells: NDArray[np.int64]
    nuclei: NDArray[np.int64]
    alone: NDArray[np.int64]
    """Cells without a nucleus and nuclei without a cell; zeros where there is one mask alone."""


@dataclass(frozen=True, slots=True)
class MaskObjects:
    """The objects of an image's masks."""

    cells: LabelTable
    """Empty where there is no such mask."""
    nuclei: LabelTable
    """Empty where there is no such mask."""
    lone_cells: NDArray[np.bool_]
    """Which cells have no nucleus; none where there is one mask alone."""
    lone_nuclei: NDArray[np.bool_]
    """Which nuclei have no cell; none where there is one mask alone."""

    def tiles(self, shape: tuple[int, int], side: int) -> TileCounts:
        """Return the number of objects in each tile of ``side`` pixels of an image of ``shape``."""
        grid = (-(-shape[0] // side), -(-shape[1] // side))

        def counts(table: LabelTable, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
            boxes = table.boxes if chosen is None else table.boxes[chosen]
            centres = (boxes[:, :2] + boxes[:, 2:] - 1) // 2 // side
            places = centres[:, 0] * grid[1] + centres[:, 1]
            found: NDArray[np.int64] = np.bincount(places, minlength=grid[0] * grid[1]).reshape(grid)
            return found

        alone = counts(self.cells, self.lone_cells) + counts(self.nuclei, self.lone_nuclei)
        return TileCounts(counts(self.cells), counts(self.nuclei), alone)


def take_census(
    cells: RegionReader | None,
    nuclei: RegionReader | None,
    regions: Iterable[Region],
    pool: Executor,
    scratch: Scratch,
) -> MaskObjects:
    """Find the objects of an image's masks in one pass.

    Parameters
    ----------
    cells, nuclei
        Readers of labels; None for a mask that does not exist.
    regions
        Regions that tile the image; the result does not depend on them.
    pool
        Reads them side by side.
    scratch
        Where the objects are kept.
    """
    found = survey(
        label_reader(cells, "whole-cell") if cells else None,
        label_reader(nuclei, "nucleus") if nuclei else None,
        regions,
        pool,
        scratch,
    )
    lone_cells, lone_nuclei = (np.zeros(len(table), np.bool_) for table in (found.cells, found.nuclei))
    if cells and nuclei:
        pairs = match(found, Matching.ONE_TO_ONE, scratch)
        lone_cells[pairs.cells[pairs.nuclei < 0]] = True
        lone_nuclei[:] = True
        lone_nuclei[pairs.nuclei[pairs.nuclei >= 0]] = False
    return MaskObjects(found.cells, found.nuclei, lone_cells, lone_nuclei)


def at_border(table: LabelTable, shape: tuple[int, int]) -> int:
    """Return how many objects touch the border of an image of ``shape``: parts of them may be missing."""
    low, high = table.boxes[:, :2], table.boxes[:, 2:]
    return int(((low == 0).any(axis=1) | (high == np.array(shape)).any(axis=1)).sum())
