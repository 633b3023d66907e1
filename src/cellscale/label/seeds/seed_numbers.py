"""From seeds to labels: seeds that claim the same pixels become one object, and nuclei find their cells.

Everything here is decided by numbers of pixels in the whole image, which are sums over its blocks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.seeds.seed_block import SeedBlock

__all__ = ["Numbers", "numbered", "numbered_alone", "numbered_pairs"]

OVERLAP_THRESHOLD = np.float32(0.3)
"""Seeds are one object if they share more than this of the smaller one's pixels."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The final label of each seed of a compartment."""

    seeds: NDArray[np.int64]
    """All seeds with pixels, ascending."""
    labels: NDArray[np.int32]
    """The label of each; 0 for none."""
    count: int
    """Labels of the compartment that pixels have."""


@dataclass(frozen=True, slots=True)
class _Objects:
    """The seeds of a compartment, and which of them are one object."""

    seeds: NDArray[np.int64]
    objects: NDArray[np.int64]
    """For each seed the row of its object; objects are in the order of their first seeds."""
    count: int

    def rows(self, block: SeedBlock) -> NDArray[np.int64]:
        """Return for each label of a block, 0 included, one more than the object's row."""
        return np.concatenate([np.zeros(1, np.int64), self.objects[np.searchsorted(self.seeds, block.seeds)] + 1])

    def numbers(self, labels: NDArray[np.int64], count: int) -> Numbers:
        """Return the label of each seed from that of its object."""
        return Numbers(self.seeds, labels[self.objects].astype(np.int32), count)


def numbered_alone(blocks: Iterable[SeedBlock], again: Iterable[SeedBlock]) -> Numbers:
    """Return the labels of one compartment, whose objects are numbered in the order of their first seeds.

    Parameters
    ----------
    blocks, again
        All blocks of the compartment, twice.
    """
    found = _merged(blocks)
    areas = np.zeros(found.count + 1, np.int64)
    for block in again:
        areas += np.bincount(found.rows(block)[block.labels].ravel(), minlength=areas.size)
    labels, count = _ranked(areas[1:] > 0)
    return found.numbers(labels, count)


def numbered_pairs(
    nuclei: Iterable[SeedBlock], cells: Iterable[SeedBlock], both: Iterable[tuple[SeedBlock, SeedBlock]]
) -> tuple[Numbers, Numbers]:
    """Return the labels of nuclei and cells, with one number for a nucleus and its cell.

    A nucleus belongs to the cell that holds more than half of it; of several the largest has the cell. First come
    these, then the other nuclei, and each is a cell as well; last come the cells without a nucleus. Where a nucleus
    lies, its own cell does. If not one nucleus belongs to a cell, InstanSeg finds nothing in an image with both, and
    so do we.

    Parameters
    ----------
    nuclei, cells
        All blocks of each compartment.
    both
        The same once more, nuclei and cells of a block together.

    Returns
    -------
    Labels of nuclei, and labels of cells for pixels that no nucleus has.
    """
    inner, outer = _merged(nuclei), _merged(cells)
    sizes, visible, pairs, common = _counted(inner, outer, both)
    if not visible.any():  # each nucleus is a cell
        labels, count = _ranked(sizes > 0)
        return inner.numbers(labels, count), outer.numbers(np.zeros(outer.count, np.int64), count)
    if not sizes.any():
        labels, count = _ranked(visible > 0)
        return inner.numbers(np.zeros(inner.count, np.int64), 0), outer.numbers(labels, count)
    nucleus, cell = np.divmod(pairs, outer.count)
    belongs = 2 * common > sizes[nucleus]
    nucleus, cell = nucleus[belongs], cell[belongs]
    largest = np.zeros(outer.count, np.int64)
    np.maximum.at(largest, cell, sizes[nucleus])
    keeps = sizes[nucleus] == largest[cell]
    kept = np.zeros(inner.count, bool)
    kept[nucleus[keeps]] = True
    if not kept.any():
        return inner.numbers(np.zeros(inner.count, np.int64), 0), outer.numbers(np.zeros(outer.count, np.int64), 0)
    first, with_cell = _ranked(kept)
    others, without = _ranked(~kept & (sizes > 0))
    inner_labels = np.where(others > 0, others + with_cell, first)
    outer_labels = np.zeros(outer.count, np.int64)
    # Backwards: of two nuclei of the same size the first one's number is the cell's.
    outer_labels[cell[keeps][::-1]] = inner_labels[nucleus[keeps][::-1]]
    covered = np.bincount(np.mod(pairs, outer.count), common, outer.count).astype(np.int64)
    alone, rest = _ranked((largest == 0) & (visible > covered))
    outer_labels = np.where(alone > 0, alone + with_cell + without, outer_labels)
    total = with_cell + without
    return inner.numbers(inner_labels, total), outer.numbers(outer_labels, total + rest)


def _counted(
    inner: _Objects, outer: _Objects, both: Iterable[tuple[SeedBlock, SeedBlock]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return pixels of nuclei and of cells, and keys and pixels of pairs of both."""
    sizes, visible = np.zeros(inner.count + 1, np.int64), np.zeros(outer.count + 1, np.int64)
    keys, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for nucleus, cell in both:
        key, count = _runs(nucleus.labels, cell.labels, inner.rows(nucleus), outer.rows(cell), sizes, visible)
        unique, places = np.unique(key, return_inverse=True)
        keys.append(unique)
        counts.append(np.bincount(places.ravel(), count, unique.size).astype(np.int64))
    pairs, places = np.unique(np.concatenate(keys), return_inverse=True)
    common = np.bincount(places.ravel(), np.concatenate(counts), pairs.size).astype(np.int64)
    return sizes[1:], visible[1:], pairs, common


@kernel
def _runs(
    nuclei: NDArray[np.int32],
    cells: NDArray[np.int32],
    inner: NDArray[np.int64],
    outer: NDArray[np.int64],
    sizes: NDArray[np.int64],
    visible: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count pixels of objects, and return the pairs of runs of pixels that show both, with their lengths."""
    keys = np.empty(1024, np.int64)
    lengths = np.empty(1024, np.int64)
    count, last = 0, np.int64(-1)
    for row in range(nuclei.shape[0]):
        for column in range(nuclei.shape[1]):
            nucleus, cell = inner[nuclei[row, column]], outer[cells[row, column]]
            sizes[nucleus] += 1
            visible[cell] += 1
            if nucleus == 0 or cell == 0:
                last = np.int64(-1)
                continue
            key = (nucleus - 1) * (visible.size - 1) + cell - 1
            if key == last:
                lengths[count - 1] += 1
                continue
            if count == keys.size:
                keys = np.concatenate((keys, np.empty(count, np.int64)))
                lengths = np.concatenate((lengths, np.empty(count, np.int64)))
            keys[count], lengths[count], last = key, 1, key
            count += 1
    return keys[:count].copy(), lengths[:count].copy()


def _merged(blocks: Iterable[SeedBlock]) -> _Objects:
    """Return the objects of a compartment from what its blocks counted."""
    seeds, areas, pairs, shared = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [], [np.empty(0, np.int64)]
    for block in blocks:
        seeds.append(block.seeds)
        areas.append(block.areas)
        pairs.append(block.seeds[block.shared[:, :2]])
        shared.append(block.shared[:, 2])
    known, places = np.unique(np.concatenate(seeds), return_inverse=True)
    total = np.bincount(places.ravel(), np.concatenate(areas), known.size)
    rows = np.searchsorted(known, np.concatenate([np.empty((0, 2), np.int64), *pairs]))
    keys, places = np.unique(rows[:, 0] * max(known.size, 1) + rows[:, 1], return_inverse=True)
    common = np.bincount(places.ravel(), np.concatenate(shared), keys.size).astype(np.float32)
    one, other = np.divmod(keys, max(known.size, 1))
    smaller = np.minimum(total[one], total[other]).astype(np.float32)
    linked = common / smaller > OVERLAP_THRESHOLD
    objects, count = _united(known.size, one[linked], other[linked])
    return _Objects(known, objects, count)


@kernel
def _united(size: int, one: NDArray[np.int64], other: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return the rows of the objects that linked seeds make, in the order of first seeds, and how many there are."""
    roots = np.arange(size)
    for link in range(one.size):
        first, second = one[link], other[link]
        while roots[first] != first:
            roots[first] = roots[roots[first]]
            first = roots[first]
        while roots[second] != second:
            roots[second] = roots[roots[second]]
            second = roots[second]
        roots[max(first, second)] = min(first, second)
    objects = np.empty(size, np.int64)
    count = 0
    for seed in range(size):
        if roots[seed] == seed:
            objects[seed] = count
            count += 1
        else:
            objects[seed] = objects[roots[seed]]
    return objects, count


def _ranked(chosen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Return the rank of each chosen one, from 1, and 0 for the others; and their number."""
    ranks = np.cumsum(chosen)
    return np.where(chosen, ranks, 0), int(ranks[-1]) if ranks.size else 0


@kernel
def numbered(seeds: NDArray[np.int64], known: NDArray[np.int64], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the label of each pixel from its seed, looked up once for a run of equal pixels."""
    numbers = np.zeros(seeds.shape, np.int32)
    seed, number = np.int64(0), np.int32(0)
    for row in range(seeds.shape[0]):
        for column in range(seeds.shape[1]):
            if seeds[row, column] != seed:
                seed = seeds[row, column]
                number = labels[np.searchsorted(known, seed)] if seed else np.int32(0)
            numbers[row, column] = number
    return numbers
