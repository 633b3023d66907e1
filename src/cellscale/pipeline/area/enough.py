"""Where labelled rectangles do not tell yet for certain what all cells of an area are.

An object that touches the end of what was labelled may go on beyond it, so that its size, its holes and its centre
are not known. That does not matter where it cannot change a pixel of a cell that may be in the area. It can if it may
be in the area itself; if it grows towards such a cell; and if it has holes, which it fills with whatever is there,
in its box and hence in the box of such a cell, or of another one with holes that reaches one, and so on.
"""

from collections.abc import Callable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from cellscale.label.block import LabelledBlock
from cellscale.label.objects import merge_objects
from cellscale.pipeline.area.area_cores import AreaCores
from cellscale.regions import Region

__all__ = ["lacking"]

_ONE_PIECE = 4
"""Four times the Euler number of an object in one piece without holes."""


def lacking(
    plan: AreaCores, cores: Sequence[Region], across: int, load: Callable[[int], LabelledBlock]
) -> frozenset[int]:
    """Return the blocks beside which an object that can change a cell of the area goes on beyond what was labelled.

    None if that is certain for all cells. Else more of these blocks, and of those around them, is to be labelled.

    Parameters
    ----------
    plan
        What is wanted.
    cores
        What was labelled of each block, in raster order; an empty rectangle for nothing.
    across
        Blocks in a row of blocks.
    load
        Returns a labelled block.
    """
    labelled = [(index, load(index)) for index, core in enumerate(cores) if core.size]
    objects = merge_objects(block.objects for _, block in labelled)
    objects = objects.take(objects.sizes > 0)
    if not len(objects):
        return frozenset()
    ends = [_at_ends(block, _neighbours(index, cores, across), plan.shape) for index, block in labelled]
    goes_on = np.isin(objects.identities, np.concatenate(ends))
    if not goes_on.any():
        return frozenset()
    may_fill = goes_on | (objects.euler_quarters < _ONE_PIECE)
    boxes = objects.boxes[:, [1, 0, 3, 2]].astype(np.float64)
    down, wide = plan.scale
    known = plan.area.touched(boxes / [wide, down, wide, down] + [-1, -1, 1, 1])
    changing = known & ~goes_on  # what else an object that goes on can change is asked when it is known whole
    reach = plan.reach
    candidates = np.ones(len(objects), np.bool_) if reach else may_fill
    while changing.any():
        found = candidates & ~known & _near(boxes, changing, reach)
        known = known | found
        changing = found & ~goes_on
        candidates, reach = may_fill, 0
    wanted = objects.identities[known & goes_on]
    return frozenset(
        index for (index, _), ends_of in zip(labelled, ends, strict=True) if np.isin(ends_of, wanted).any()
    )


def _near(boxes: NDArray[np.float64], chosen: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Tell which boxes meet one of the chosen, or are no farther from it than that."""
    shapes = shapely.box(*boxes.T)
    around = shapely.box(*(boxes[chosen] + [-reach, -reach, reach, reach]).T)
    found = np.zeros(len(boxes), np.bool_)
    found[shapely.STRtree(shapes).query(around, predicate="intersects")[1]] = True
    return found


def _neighbours(index: int, cores: Sequence[Region], across: int) -> list[Region]:
    row, column = divmod(index, across)
    return [
        cores[down * across + right]
        for down in range(row - 1, row + 2)
        for right in range(column - 1, column + 2)
        if down >= 0 and 0 <= right < across and down * across + right < len(cores)
    ]


def _at_ends(block: LabelledBlock, neighbours: list[Region], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return the identities of the objects in a block beside pixels of the image that were not labelled."""
    core = block.core
    seen = core.grown(1, shape)
    labelled = np.zeros(seen.shape, np.bool_)
    for other in neighbours:
        top, left = max(other.top, seen.top), max(other.left, seen.left)
        bottom, right = min(other.bottom, seen.bottom), min(other.right, seen.right)
        if top < bottom and left < right:
            labelled[Region(top, left, bottom, right).within(seen)] = True
    open_beside = np.zeros(core.shape, np.bool_)
    # Beyond the image there is nothing that could be missing.
    missing = np.zeros((core.height + 2, core.width + 2), np.bool_)
    missing[Region(seen.top + 1, seen.left + 1, seen.bottom + 1, seen.right + 1).within(core)] = ~labelled
    for down in range(3):
        for right in range(3):
            open_beside |= missing[down : down + core.height, right : right + core.width]
    rows = np.unique(block.labels[open_beside])
    identities: NDArray[np.int64] = block.objects.identities[rows[rows > 0] - 1]
    return identities
