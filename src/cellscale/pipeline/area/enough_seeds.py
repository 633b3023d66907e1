"""Where labelled rectangles do not tell yet for certain what the cells of an area are, of networks with seeds.

Which pixels a seed has is certain within what was labelled. What its label is depends on whole numbers of pixels:
seeds are one object by the pixels that they share, and a nucleus has the cell that holds most of it, if it is the
largest one there. A seed is known when the window in which all of its pixels lie was labelled, and an object when all
of its seeds are: of a seed that was not seen as a whole too few pixels are counted, so that it is rather taken for a
part of an object than not. A nucleus is certain when it is known, and so are the cells that it touches, and all
nuclei that touch the cell which it belongs to; a cell when it is known, and so are the nuclei that touch it. That is
all: nothing depends on chains of neighbours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cellscale.pipeline.area.area_cores import AreaCores
from cellscale.regions import Region

if TYPE_CHECKING:
    from cellscale.label.seeds import SeedBlock, SeedObjects

__all__ = ["lacking_of_seeds"]


@dataclass(frozen=True, slots=True)
class _Labelled:
    """What was labelled of an image."""

    cores: Sequence[Region]
    shape: tuple[int, int]
    side: int
    """Rows and columns of a block."""

    @property
    def blocks(self) -> frozenset[int]:
        """Return the blocks of which something was labelled."""
        return frozenset(index for index, core in enumerate(self.cores) if core.size)

    @property
    def is_everything(self) -> bool:
        """Tell whether the whole image was labelled."""
        return sum(core.size for core in self.cores) == self.shape[0] * self.shape[1]

    def holds(self, boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which boxes (top, left, bottom, right, ``(n, 4)``) in the image were labelled as a whole."""
        cores = np.array([[core.top, core.left, core.bottom, core.right] for core in self.cores], np.int64)
        across = -(-self.shape[1] // self.side)
        first, last = boxes[:, :2] // self.side, (boxes[:, 2:] - 1) // self.side
        found = np.zeros(len(boxes), np.int64)
        steps = (last - first).max(axis=0, initial=0) + 1
        for down in range(steps[0]):
            for right in range(steps[1]):
                places = first + np.array([down, right])
                core = cores[np.where((places <= last).all(axis=1), places[:, 0] * across + places[:, 1], 0)]
                common = np.minimum(boxes[:, 2:], core[:, 2:]) - np.maximum(boxes[:, :2], core[:, :2])
                found += np.where((places <= last).all(axis=1), np.maximum(common, 0).prod(axis=1), 0)
        return np.asarray(found == (boxes[:, 2:] - boxes[:, :2]).prod(axis=1), np.bool_)

    def beside(self, boxes: NDArray[np.int64]) -> set[int]:
        """Return the blocks that boxes touch."""
        across = -(-self.shape[1] // self.side)
        return {
            row * across + column
            for top, left, bottom, right in boxes.tolist()
            for row in range(top // self.side, (bottom - 1) // self.side + 1)
            for column in range(left // self.side, (right - 1) // self.side + 1)
        }


@dataclass(frozen=True, slots=True)
class _Found:
    """The objects of a compartment, as far as they were seen."""

    objects: "SeedObjects"
    windows: NDArray[np.int64]
    """Of each seed."""
    seen: NDArray[np.bool_]
    """Whether the seed's window was labelled."""
    known: NDArray[np.bool_]
    """Of each object, whether all of its seeds were."""
    boxes: NDArray[np.float64]
    """Of each object what may be its pixels' (top, left, bottom, right); nothing for those without a pixel."""

    @classmethod
    def of(cls, blocks: "Iterable[SeedBlock]", labelled: _Labelled) -> "_Found":
        """Return what was found in a compartment's blocks."""
        from scipy.ndimage import find_objects  # here, because measuring alone does without

        from cellscale.label.seeds import Claims, seed_windows

        claims = Claims.of(blocks)
        windows = seed_windows(claims.seeds, labelled.shape)
        seen = labelled.holds(windows)
        objects = claims.objects(claims.linked)
        known = np.ones(objects.count, np.bool_)
        known[objects.objects[~seen]] = False
        boxes = _nowhere(objects.count)
        _widen(boxes, objects.objects[~seen], windows[~seen])
        for block in blocks:
            found = [(row, part) for row, part in enumerate(find_objects(block.labels)) if part is not None]
            rows = np.array([row for row, _ in found], np.int64)
            corners = [[y.start, x.start, y.stop, x.stop] for _, (y, x) in found]
            places = np.array(corners, np.int64).reshape(-1, 4) + np.array([block.core.top, block.core.left] * 2)
            _widen(boxes, objects.rows(block)[rows + 1] - 1, places)
        return cls(objects, windows, seen, known, boxes)

    def missing(self, needed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return windows that have to be labelled before objects are known."""
        needed = needed & ~self.known
        return self.windows[~self.seen & needed[self.objects.objects]]


def lacking_of_seeds(
    plan: AreaCores, cores: Sequence[Region], side: int, blocks: "Sequence[Iterable[SeedBlock]]"
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
    blocks
        What was labelled, in raster order, of one compartment, or of nuclei and cells that are paired.
    """
    labelled = _Labelled(cores, plan.shape, side)
    if labelled.is_everything:
        return frozenset()
    found = [_Found.of(some, labelled) for some in blocks]
    if len(found) == 1:
        needed = [_touched(plan, found[0].boxes)]
        ends = [found[0].boxes[needed[0]]]
    else:
        pairs = _Pairs.of(found[0], found[1], zip(*blocks, strict=True))
        boxes = pairs.boxes()
        wanted = pairs.wanted(plan, boxes)
        if any(some.any() for some in wanted) and not pairs.are_there:
            return labelled.blocks  # where no nucleus has a cell in the whole image, nothing is found
        needed = list(pairs.needed(*wanted))
        ends = [found[0].boxes[wanted[0]], boxes[wanted[1]]]
    lacking = [one.missing(some) for one, some in zip(found, needed, strict=True)]
    if plan.reach:  # what is near keeps cells from growing
        reach = np.array([-plan.reach, -plan.reach, plan.reach, plan.reach])
        grown = np.concatenate(ends) + reach
        grown = np.clip(grown, 0, [*plan.shape, *plan.shape]).astype(np.int64)
        lacking.append(grown[~labelled.holds(grown)])
    return frozenset(labelled.beside(np.concatenate(lacking)))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Nuclei and the cells that they touch."""

    nuclei: _Found
    cells: _Found
    nucleus: NDArray[np.int64]
    cell: NDArray[np.int64]
    """Rows of each pair."""
    may_belong: NDArray[np.bool_]
    """Whether the nucleus may belong to the cell."""

    @classmethod
    def of(cls, nuclei: _Found, cells: _Found, both: "Iterable[tuple[SeedBlock, SeedBlock]]") -> "_Pairs":
        """Count the pixels that nuclei and cells share."""
        from cellscale.label.seeds import counted

        sizes, _, keys, common = counted(nuclei.objects, cells.objects, both)
        nucleus, cell = np.divmod(keys, max(cells.objects.count, 1))
        may_belong = 2 * common > sizes[nucleus]
        return cls(nuclei, cells, nucleus, cell, may_belong | ~nuclei.known[nucleus] | ~cells.known[cell])

    @property
    def are_there(self) -> bool:
        """Tell whether it is certain that a nucleus has a cell."""
        is_known = self.nuclei.known[self.nucleus] & self.cells.known[self.cell]
        return bool((self.may_belong & is_known).any())

    def boxes(self) -> NDArray[np.float64]:
        """Return what may be the pixels of each cell with its nuclei."""
        boxes = self.cells.boxes.copy()
        _widen(boxes, self.cell[self.may_belong], self.nuclei.boxes[self.nucleus[self.may_belong]])
        return boxes

    def wanted(self, plan: AreaCores, boxes: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell which nuclei and which cells may be in the area; ``boxes`` are the cells', with their nuclei."""
        nuclei, cells = _touched(plan, self.nuclei.boxes), _touched(plan, boxes)
        nuclei[self.nucleus[self.may_belong & cells[self.cell]]] = True
        return nuclei, cells

    def needed(
        self, nuclei: NDArray[np.bool_], cells: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which nuclei and cells have to be known for some to be certain."""
        theirs = cells.copy()
        theirs[self.cell[self.may_belong & nuclei[self.nucleus]]] = True
        touching = nuclei.copy()
        touching[self.nucleus[theirs[self.cell]]] = True
        touched = theirs.copy()
        touched[self.cell[nuclei[self.nucleus]]] = True
        return touching, touched


def _nowhere(count: int) -> NDArray[np.float64]:
    return np.tile(np.array([np.inf, np.inf, -np.inf, -np.inf]), (count, 1))


def _widen(
    boxes: NDArray[np.float64], rows: NDArray[np.int64], others: NDArray[np.int64] | NDArray[np.float64]
) -> None:
    """Let boxes hold others as well."""
    np.minimum.at(boxes[:, :2], rows, others[:, :2])
    np.maximum.at(boxes[:, 2:], rows, others[:, 2:])


def _touched(plan: AreaCores, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which objects, grown, may be in the area."""
    touched = np.isfinite(boxes).all(axis=1)
    touched[touched] = plan.touched(boxes[touched])
    return touched
