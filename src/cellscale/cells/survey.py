"""One pass over the masks: which labels there are, where they lie, and which of them share pixels."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.groups import GROUP, SortedGroups, grouped
from cellscale.cells.spool import Scratch
from cellscale.compiled import kernel
from cellscale.regions import Region, RegionReader

__all__ = ["LabelTable", "Overlaps", "Survey", "survey"]

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
class Survey:
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
) -> Survey:
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
    The pass works on horizontal runs of equal label pairs, of which an image has far fewer than pixels. What the
    regions hold is kept in files and merged by ranges of labels.
    """

    def count(region: Region) -> NDArray[np.void]:
        none = np.zeros(region.shape, dtype=np.uint32)
        return _pairs_of(cells(region) if cells else none, nuclei(region) if nuclei else none, region)

    by_cell, by_nucleus = SortedGroups(scratch), SortedGroups(scratch)
    for pairs in pool.map(count, regions):
        by_cell.add(pairs)
        by_nucleus.add(_added_up(pairs, pairs["key"] << HALF))
    nucleus_table = _table(by_nucleus.merged(), scratch)
    overlaps = scratch.growing(OVERLAP)

    def cell_groups() -> Iterator[NDArray[np.void]]:
        first = 0
        for pairs in by_cell.merged():
            found = _added_up(pairs, _cell_keys(pairs))
            overlaps.append(_overlaps(pairs, found["key"], first, nucleus_table.labels))
            first += len(found)
            yield found

    cell_table = _table(cell_groups(), scratch)
    both = overlaps.array()
    return Survey(cell_table, nucleus_table, Overlaps(both["cell"], both["nucleus"], both["pixels"]))


def _cell_keys(pairs: NDArray[np.void]) -> NDArray[np.uint64]:
    """Return keys that have the cell label alone."""
    keys: NDArray[np.uint64] = (pairs["key"] >> HALF) << HALF
    return keys


def _pairs_of(cells: NDArray[np.uint32], nuclei: NDArray[np.uint32], region: Region) -> NDArray[np.void]:
    """Count the pairs of one region."""
    keys, runs = _runs(cells, nuclei)
    boxes = np.stack([runs[:, 0], runs[:, 1], runs[:, 0] + 1, runs[:, 2]], axis=1)
    boxes += np.array([region.top, region.left, region.top, region.left], dtype=np.int32)
    return grouped(keys, (runs[:, 2] - runs[:, 1]).astype(np.int64), boxes)


def _added_up(pairs: NDArray[np.void], keys: NDArray[np.uint64]) -> NDArray[np.void]:
    """Add up pairs that have the same key, background aside."""
    some = keys > 0
    return grouped(keys[some], pairs["pixels"][some], pairs["box"][some])


def _table(groups: Iterable[NDArray[np.void]], scratch: Scratch) -> LabelTable:
    """Keep the objects of one mask, whose labels are in the upper half of the keys."""
    table = scratch.stored(groups, GROUP)
    return LabelTable(
        scratch.stored((table["key"][part] >> HALF for part in scratch.parts(len(table))), np.int64),
        scratch.stored((table["pixels"][part] for part in scratch.parts(len(table))), np.int64),
        scratch.stored((table["box"][part].ravel() for part in scratch.parts(len(table))), np.int64).reshape(-1, 4),
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
def _runs(cells: NDArray[np.uint32], nuclei: NDArray[np.uint32]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Return keys and (row, start, stop) of the horizontal runs that are not background in both masks."""
    height, width = cells.shape
    count = 0
    for y in range(height):
        for x in range(width):
            changed = x == 0 or cells[y, x] != cells[y, x - 1] or nuclei[y, x] != nuclei[y, x - 1]
            count += changed and (cells[y, x] != 0 or nuclei[y, x] != 0)
    keys = np.empty(count, dtype=np.uint64)
    runs = np.empty((count, 3), dtype=np.int32)
    count = 0
    for y in range(height):
        start = 0
        for x in range(1, width + 1):
            if x < width and cells[y, x] == cells[y, start] and nuclei[y, x] == nuclei[y, start]:
                continue
            if cells[y, start] or nuclei[y, start]:
                keys[count] = (np.uint64(cells[y, start]) << np.uint64(32)) | np.uint64(nuclei[y, start])
                runs[count, 0], runs[count, 1], runs[count, 2] = y, start, x
                count += 1
            start = x
    return keys, runs
