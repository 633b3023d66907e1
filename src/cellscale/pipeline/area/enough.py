"""Where labelled rectangles do not tell yet for certain what all cells of an area are.

An object that touches the end of what was labelled may go on beyond it, so that its size, its holes and its centre
are not known. That does not matter where it cannot change a pixel of a cell that may be in the area. It can if it may
be in the area itself; if it grows towards such a cell; and if it has holes, which it fills with whatever is there,
in its box and hence in the box of such a cell, or of another one with holes that reaches one, and so on.
What was not seen at all can change such a cell too where the cell comes so near to the end that it could grow towards
it, or lie in one of its holes.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from cellscale.pipeline.area.area_cores import LONGEST_HOLE, AreaCores
from cellscale.regions import Region

if TYPE_CHECKING:
    from cellscale.label.block import LabelledBlock

__all__ = ["lacking"]

_ONE_PIECE = 4
"""Four times the Euler number of an object in one piece without holes."""


def lacking(
    plan: AreaCores, cores: Sequence[Region], side: int, holes: int, load: "Callable[[int], LabelledBlock]"
) -> frozenset[int]:
    """Return the blocks beside which what lies beyond what was labelled can change a cell of the area.

    None if all cells are certain. Else more of these blocks, and of those around them, is to be labelled.

    Parameters
    ----------
    plan
        What is wanted.
    cores
        What was labelled of each block, in raster order; an empty rectangle for nothing.
    side
        Rows and columns of a block.
    holes
        Holes of fewer pixels are filled.
    load
        Returns a labelled block.
    """
    labelled = [(index, load(index)) for index, core in enumerate(cores) if core.size]
    from cellscale.label.objects import merge_objects  # here, because measuring alone does without

    objects = merge_objects(block.objects for _, block in labelled)
    objects = objects.take(objects.sizes > 0)
    holes = min(holes, LONGEST_HOLE)
    distance = max(plan.reach, holes, 1)
    far = -(-distance // side)
    around = [(block, _around(index, cores, -(-plan.shape[1] // side), far)) for index, block in labelled]
    near = [_at_ends(block, others, plan.shape, distance) for block, others in around]
    is_near = np.isin(objects.identities, np.concatenate([np.empty(0, np.int64), *near]))
    if not is_near.any():
        return frozenset()
    ends = [_at_ends(block, others, plan.shape, 1) for block, others in around]
    goes_on = np.isin(objects.identities, np.concatenate(ends))
    may_fill = goes_on | (objects.euler_quarters < _ONE_PIECE)
    boxes = objects.boxes.astype(np.float64)
    boxes[goes_on] += [-holes, -holes, holes, holes]  # beyond the end it may reach farther to the sides as well
    known = plan.touched(boxes)
    changing = known & ~goes_on  # what else an object that goes on can change is asked when it is known whole
    reach = plan.reach
    candidates = np.ones(len(objects), np.bool_) if reach else may_fill
    while changing.any():
        found = candidates & ~known & _near(boxes, changing, reach)
        known = known | found
        changing = found & ~goes_on
        candidates, reach = may_fill, 0
    wanted = objects.identities[known & is_near]
    return frozenset(index for (index, _), some in zip(labelled, near, strict=True) if np.isin(some, wanted).any())


def _near(boxes: NDArray[np.float64], chosen: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Tell which boxes meet one of the chosen, or are no farther from it than that."""
    shapes = shapely.box(*boxes.T)
    around = shapely.box(*(boxes[chosen] + [-reach, -reach, reach, reach]).T)
    found = np.zeros(len(boxes), np.bool_)
    found[shapely.STRtree(shapes).query(around, predicate="intersects")[1]] = True
    return found


def _around(index: int, cores: Sequence[Region], across: int, far: int) -> list[Region]:
    """Return the rectangles of the blocks that are so many blocks around one, itself included."""
    row, column = divmod(index, across)
    return [
        cores[down * across + right]
        for down in range(max(row - far, 0), row + far + 1)
        for right in range(max(column - far, 0), min(column + far + 1, across))
        if down * across + right < len(cores)
    ]


def _at_ends(
    block: "LabelledBlock", around: list[Region], shape: tuple[int, int], distance: int
) -> NDArray[np.int64]:
    """Return the identities of a block's objects that are so near to pixels of the image that were not labelled."""
    core = block.core
    seen = core.grown(distance, shape)
    missing = np.ones(seen.shape, np.bool_)
    for other in around:
        top, left = max(other.top, seen.top), max(other.left, seen.left)
        bottom, right = min(other.bottom, seen.bottom), min(other.right, seen.right)
        if top < bottom and left < right:
            missing[Region(top, left, bottom, right).within(seen)] = False
    if not missing.any():
        return np.empty(0, np.int64)
    # Counted in squares, of which each is the difference of four sums; beyond the image nothing could be missing.
    width = 2 * distance + 1
    sums = np.zeros((core.height + width, core.width + width), np.int32)
    top, left = seen.top - core.top + distance + 1, seen.left - core.left + distance + 1
    sums[top : top + seen.height, left : left + seen.width] = missing
    sums = sums.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    counts = sums[width:, width:] - sums[:-width, width:] - sums[width:, :-width] + sums[:-width, :-width]
    rows = np.unique(block.labels[counts > 0])
    identities: NDArray[np.int64] = block.objects.identities[rows[rows > 0] - 1]
    return identities
