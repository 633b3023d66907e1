"""One pass over the masks: which labels there are, where they lie, and which of them share pixels."""

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.regions import Region, RegionReader

__all__ = ["LabelTable", "Overlaps", "Survey", "survey"]


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The objects of one mask, in ascending label order."""

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


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over both masks tells."""

    cells: LabelTable
    nuclei: LabelTable
    overlaps: Overlaps


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pixels that have the same cell label and the same nucleus label, by ascending key."""

    keys: NDArray[np.uint64]
    """Cell label in the upper half, nucleus label in the lower."""

    pixels: NDArray[np.int64]
    boxes: NDArray[np.int32]


def survey(
    cells: RegionReader | None, nuclei: RegionReader | None, regions: Iterable[Region], pool: Executor
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

    Notes
    -----
    The pass works on horizontal runs of equal label pairs, of which an image has far fewer than pixels.
    """

    def count(region: Region) -> _Pairs:
        none = np.zeros(region.shape, dtype=np.uint32)
        return _pairs_of(cells(region) if cells else none, nuclei(region) if nuclei else none, region)

    pairs = _joined(list(pool.map(count, regions)))
    cell_labels, nucleus_labels = _halves(pairs.keys)
    cell_table, nucleus_table = _table(pairs, cell_labels), _table(pairs, nucleus_labels)
    both = (cell_labels > 0) & (nucleus_labels > 0)
    overlaps = Overlaps(
        np.searchsorted(cell_table.labels, cell_labels[both]),
        np.searchsorted(nucleus_table.labels, nucleus_labels[both]),
        pairs.pixels[both],
    )
    return Survey(cell_table, nucleus_table, overlaps)


def _halves(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split keys into cell and nucleus labels."""
    return (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _pairs_of(cells: NDArray[np.uint32], nuclei: NDArray[np.uint32], region: Region) -> _Pairs:
    """Count the pairs of one region."""
    keys, runs = _runs(cells, nuclei)
    boxes = np.stack([runs[:, 0], runs[:, 1], runs[:, 0] + 1, runs[:, 2]], axis=1)
    boxes += np.array([region.top, region.left, region.top, region.left], dtype=np.int32)
    return _grouped(keys, (runs[:, 2] - runs[:, 1]).astype(np.int64), boxes)


def _joined(parts: list[_Pairs]) -> _Pairs:
    """Add the counts of several regions."""
    return _grouped(
        np.concatenate([np.empty(0, dtype=np.uint64), *(part.keys for part in parts)]),
        np.concatenate([np.empty(0, dtype=np.int64), *(part.pixels for part in parts)]),
        np.concatenate([np.empty((0, 4), dtype=np.int32), *(part.boxes for part in parts)]),
    )


def _table(pairs: _Pairs, labels: NDArray[np.int64]) -> LabelTable:
    """Add up the pairs of each label, background aside."""
    some = labels > 0
    grouped = _grouped(labels[some].astype(np.uint64), pairs.pixels[some], pairs.boxes[some])
    return LabelTable(grouped.keys.astype(np.int64), grouped.pixels, grouped.boxes.astype(np.int64))


def _grouped(keys: NDArray[np.uint64], pixels: NDArray[np.int64], boxes: NDArray[np.int32]) -> _Pairs:
    """Sum pixels and unite boxes of equal keys."""
    if not len(keys):
        return _Pairs(keys, pixels, boxes)
    order = np.argsort(keys)
    keys, boxes = keys[order], boxes[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    united = np.empty((len(starts), 4), dtype=np.int32)
    np.minimum.reduceat(boxes[:, :2], starts, axis=0, out=united[:, :2])
    np.maximum.reduceat(boxes[:, 2:], starts, axis=0, out=united[:, 2:])
    return _Pairs(keys[starts], np.add.reduceat(pixels[order], starts), united)


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
