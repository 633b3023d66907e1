"""From seeds to labels: seeds that claim the same pixels become one object, and nuclei find their cells.

Everything here is decided by numbers of pixels in the whole image, which are sums over its blocks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.seeds.claims import Claims, SeedObjects
from cellscale.label.seeds.seed_block import SeedBlock

__all__ = ["Numbers", "counted", "numbered", "numbered_alone", "numbered_pairs"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The final label of each seed of a compartment."""

    seeds: NDArray[np.int64]
    """All seeds with pixels, ascending."""
    labels: NDArray[np.int32]
    """The label of each; 0 for none."""
    count: int
    """Labels of the compartment that pixels have."""


def numbered_alone(blocks: Iterable[SeedBlock], again: Iterable[SeedBlock]) -> Numbers:
    """Return the labels of one compartment, whose objects are numbered in the order of their first seeds.

    Parameters
    ----------
    blocks, again
        All blocks of the compartment, twice.
    """
    found = _objects(blocks)
    areas = np.zeros(found.count + 1, np.int64)
    for block in again:
        areas += np.bincount(found.rows(block)[block.labels].ravel(), minlength=areas.size)
    labels, count = _ranked(areas[1:] > 0)
    return _numbers(found, labels, count)


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
    inner, outer = _objects(nuclei), _objects(cells)
    sizes, visible, pairs, common = counted(inner, outer, both)
    if not visible.any():  # each nucleus is a cell
        labels, count = _ranked(sizes > 0)
        return _numbers(inner, labels, count), _numbers(outer, np.zeros(outer.count, np.int64), count)
    if not sizes.any():
        labels, count = _ranked(visible > 0)
        return _none(inner), _numbers(outer, labels, count)
    nucleus, cell = np.divmod(pairs, outer.count)
    belongs = 2 * common > sizes[nucleus]
    nucleus, cell = nucleus[belongs], cell[belongs]
    largest = np.zeros(outer.count, np.int64)
    np.maximum.at(largest, cell, sizes[nucleus])
    keeps = sizes[nucleus] == largest[cell]
    kept = np.zeros(inner.count, bool)
    kept[nucleus[keeps]] = True
    if not kept.any():
        return _none(inner), _numbers(outer, np.zeros(outer.count, np.int64), 0)
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
    return _numbers(inner, inner_labels, total), _numbers(outer, outer_labels, total + rest)


def _objects(blocks: Iterable[SeedBlock]) -> SeedObjects:
    """Return the objects of a compartment from what all its blocks counted."""
    claims = Claims.of(blocks)
    return claims.objects(claims.linked)


def _numbers(found: SeedObjects, labels: NDArray[np.int64], count: int) -> Numbers:
    """Return the label of each seed from that of its object."""
    return Numbers(found.seeds, labels[found.objects].astype(np.int32), count)


def _none(found: SeedObjects) -> Numbers:
    """Return that no seed has a label."""
    return _numbers(found, np.zeros(found.count, np.int64), 0)


def counted(
    inner: SeedObjects, outer: SeedObjects, both: Iterable[tuple[SeedBlock, SeedBlock]]
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
