"""One pass over the masks: which labels there are, where they lie, and which of them share pixels."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.passes.connected_parts import count_parts
from cellscale.cells.passes.sorted_groups import GROUP, SortedGroups, grouped
from cellscale.cells.scratch_arrays import Scratch
from cellscale.compiled import kernel
from cellscale.regions import Region, RegionReader

__all__ = ["LabelTable", "LabelTables", "Overlaps", "survey"]

HALF = np.uint64(32)
"""Bits of a key: the cell label is in the upper half, the nucleus label in the lower."""

OVERLAP = np.dtype([("cell", "i8"), ("nucleus", "i8"), ("pixels", "i8")])


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The objects of one mask, in ascending label order; the arrays may lie in files."""

    labels: NDArray[np.int64]
    """Distinct labels, ``(n,)``."""

    pixels: NDArray[np.int64]
    """Number of pixels, ``(n,)``."""

    boxes: NDArray[np.int64]
    """Bounding boxes: top, left, bottom, right (half open), ``(n, 4)``."""

    further_parts: int = 0
    """Connected parts beyond one a label, as far as they lie in one region that was surveyed at a time."""

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The pairs of a cell and a nucleus that share pixels, by ascending cell label, then nucleus label."""

    cells: NDArray[np.int64]
    """Row of the cell in its :class:`LabelTable`, ``(p,)``."""

    nuclei: NDArray[np.int64]
    """Row of the nucleus in its :class:`LabelTable`, ``(p,)``."""

    pixels: NDArray[np.int64]
    """Number of shared pixels, ``(p,)``."""

    def part(self, rows: slice | NDArray[np.int64]) -> "Overlaps":
        """Return some of the pairs."""
        return Overlaps(self.cells[rows], self.nuclei[rows], self.pixels[rows])


@dataclass(frozen=True, slots=True)
class LabelTables:
    """What one pass over both masks tells."""

    cells: LabelTable
    nuclei: LabelTable
    overlaps: Overlaps


def survey(
    cells: RegionReader | None,
    nuclei: RegionReader | None,
    regions: Iterable[Region],
    pool: Executor,
    scratch: Scratch,
) -> LabelTables:
    """Find the objects of both masks and the pixels they share.

    Parameters
    ----------
    cells, nuclei
        Readers of uint32 labels; None for a mask that does not exist, which is taken as empty.
    regions
        Regions that tile the image. The result does not depend on them.
    pool
        Where regions are read and counted side by side.
    scratch
        Where the result is kept.

    Notes
    -----
    The pass joins horizontal runs of equal label pairs to those above them, so that little is left to be sorted. What
    the regions hold is kept in files and merged by ranges of labels.
    """

    def count(region: Region) -> tuple[NDArray[np.void], int, int]:
        none = np.zeros(region.shape, dtype=np.uint32)
        masks = cells(region) if cells else none, nuclei(region) if nuclei else none
        return _pairs_of(*masks, region), count_parts(masks[0]), count_parts(masks[1])

    by_cell, by_nucleus = SortedGroups(scratch), SortedGroups(scratch)
    further = [0, 0]
    for pairs, cell_parts, nucleus_parts in pool.map(count, regions):
        by_cell.add(pairs)
        of_nuclei = _added_up(pairs, pairs["key"] << HALF)
        by_nucleus.add(of_nuclei)
        further[0] += cell_parts - len(_added_up(pairs, _cell_keys(pairs)))
        further[1] += nucleus_parts - len(of_nuclei)
    nucleus_table = _table(by_nucleus.merged(), scratch, further[1])
    overlaps = scratch.growing(OVERLAP)

    def cell_groups() -> Iterator[NDArray[np.void]]:
        first = 0
        for pairs in by_cell.merged():
            found = _added_up(pairs, _cell_keys(pairs))
            overlaps.append(_overlaps(pairs, found["key"], first, nucleus_table.labels))
            first += len(found)
            yield found

    cell_table = _table(cell_groups(), scratch, further[0])
    both = overlaps.array()
    return LabelTables(cell_table, nucleus_table, Overlaps(both["cell"], both["nucleus"], both["pixels"]))


def _cell_keys(pairs: NDArray[np.void]) -> NDArray[np.uint64]:
    """Return keys that have the cell label alone."""
    keys: NDArray[np.uint64] = (pairs["key"] >> HALF) << HALF
    return keys


def _pairs_of(cells: NDArray[np.uint32], nuclei: NDArray[np.uint32], region: Region) -> NDArray[np.void]:
    """Count the pairs of one region."""
    keys, pixels, boxes = _pieces(cells, nuclei)
    boxes += np.array([region.top, region.left, region.top, region.left], dtype=np.int32)
    return grouped(keys, pixels, boxes)


def _added_up(pairs: NDArray[np.void], keys: NDArray[np.uint64]) -> NDArray[np.void]:
    """Add up pairs that have the same key, background aside."""
    some = keys > 0
    return grouped(keys[some], pairs["pixels"][some], pairs["box"][some])


def _table(groups: Iterable[NDArray[np.void]], scratch: Scratch, further_parts: int) -> LabelTable:
    """Keep the objects of one mask, whose labels are in the upper half of the keys."""
    table = scratch.stored(groups, GROUP)
    return LabelTable(
        scratch.stored((table["key"][part] >> HALF for part in scratch.parts(len(table))), np.int64),
        scratch.stored((table["pixels"][part] for part in scratch.parts(len(table))), np.int64),
        scratch.stored((table["box"][part].ravel() for part in scratch.parts(len(table))), np.int64).reshape(-1, 4),
        further_parts,
    )


def _overlaps(
    pairs: NDArray[np.void], cell_keys: NDArray[np.uint64], first: int, nucleus_labels: NDArray[np.int64]
) -> NDArray[np.void]:
    """Return those pairs that are of a cell and a nucleus; the cells are all those of some rows from ``first`` on."""
    nuclei = ((pairs["key"] << HALF) >> HALF).astype(np.int64)
    both = (pairs["key"] >> HALF > 0) & (nuclei > 0)
    found = np.empty(np.count_nonzero(both), OVERLAP)
    found["cell"] = first + np.searchsorted(cell_keys, _cell_keys(pairs)[both])
    found["nucleus"] = np.searchsorted(nucleus_labels, nuclei[both])
    found["pixels"] = pairs["pixels"][both]
    return found


@kernel
def _pieces(
    cells: NDArray[np.uint32], nuclei: NDArray[np.uint32]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32]]:
    """Return keys, pixels and boxes of the pieces that are an object's; several may have the same key."""
    height, width = cells.shape
    keys, pixels = np.empty(1024, dtype=np.uint64), np.empty(1024, dtype=np.int64)
    boxes = np.empty((1024, 4), dtype=np.int32)
    count = 0
    # The piece of each pixel of the row above and of this one, or -1.
    owners = np.full((2, width), -1, dtype=np.int32)
    for y in range(height):
        # By runs of equal labels: neighbours mostly have the same, and a run is joined and counted once.
        above, here = owners[y % 2], owners[1 - y % 2]
        start = 0
        for x in range(1, width + 1):
            if x < width and cells[y, x] == cells[y, start] and nuclei[y, x] == nuclei[y, start]:
                continue
            owner = -1
            if cells[y, start] or nuclei[y, start]:
                key = (np.uint64(cells[y, start]) << np.uint64(32)) | np.uint64(nuclei[y, start])
                # Joined to what lies above: nearly every object is then one piece, and little is left to be merged.
                owner = _joining(above[start:x], keys, key)
                if owner < 0:
                    if count == len(keys):
                        keys, pixels = np.concatenate((keys, keys)), np.concatenate((pixels, pixels))
                        boxes = np.concatenate((boxes, boxes))
                    owner, count = count, count + 1
                    keys[owner], pixels[owner] = key, 0
                    boxes[owner, 0], boxes[owner, 1], boxes[owner, 3] = y, start, x
                pixels[owner] += x - start
                boxes[owner, 1], boxes[owner, 3] = min(boxes[owner, 1], start), max(boxes[owner, 3], x)
                boxes[owner, 2] = y + 1
            for place in range(start, x):
                here[place] = owner
            start = x
    return keys[:count], pixels[:count], boxes[:count]


@kernel
def _joining(above: NDArray[np.int32], keys: NDArray[np.uint64], key: np.uint64) -> int:
    """Return the first piece above that has the same key, or -1."""
    for owner in above:
        if owner >= 0 and keys[owner] == key:
            return int(owner)
    return -1
