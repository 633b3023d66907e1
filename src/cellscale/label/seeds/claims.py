"""Which pixels seeds claim, counted over all blocks, and which seeds are one object because they claim the same."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.seeds.seed_block import SeedBlock

__all__ = ["OVERLAP_THRESHOLD", "Claims", "SeedObjects"]

OVERLAP_THRESHOLD = np.float32(0.3)
"""Seeds are one object if they share more than this of the smaller one's pixels."""


@dataclass(frozen=True, slots=True)
class SeedObjects:
    """The seeds of a compartment, and which of them are one object."""

    seeds: NDArray[np.int64]
    """Ascending, each by its place in the whole image in raster order, from 1."""
    objects: NDArray[np.int64]
    """For each seed the row of its object; objects are in the order of their first seeds."""
    count: int

    def rows(self, block: SeedBlock) -> NDArray[np.int64]:
        """Return for each label of a block, 0 included, one more than the object's row."""
        return np.concatenate([np.zeros(1, np.int64), self.objects[np.searchsorted(self.seeds, block.seeds)] + 1])


@dataclass(frozen=True, slots=True)
class Claims:
    """The pixels that the seeds of a compartment claim in some blocks, those that others won included."""

    seeds: NDArray[np.int64]
    """Ascending, each by its place in the whole image in raster order, from 1."""
    areas: NDArray[np.int64]
    """Pixels that each claims."""
    one: NDArray[np.int64]
    other: NDArray[np.int64]
    """Rows of two seeds that claim the same pixels, the first one first."""
    shared: NDArray[np.int64]
    """How many pixels those are."""

    @classmethod
    def of(cls, blocks: Iterable[SeedBlock]) -> "Claims":
        """Add up what blocks counted."""
        seeds, areas, pairs, shared = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [], [np.empty(0, np.int64)]
        for block in blocks:
            seeds.append(block.seeds)
            areas.append(block.areas)
            pairs.append(block.seeds[block.shared[:, :2]])
            shared.append(block.shared[:, 2])
        known, places = np.unique(np.concatenate(seeds), return_inverse=True)
        total = np.bincount(places.ravel(), np.concatenate(areas), known.size).astype(np.int64)
        rows = np.searchsorted(known, np.concatenate([np.empty((0, 2), np.int64), *pairs]))
        keys, places = np.unique(rows[:, 0] * max(known.size, 1) + rows[:, 1], return_inverse=True)
        common = np.bincount(places.ravel(), np.concatenate(shared), keys.size).astype(np.int64)
        one, other = np.divmod(keys, max(known.size, 1))
        return cls(known, total, one, other, common)

    @property
    def linked(self) -> NDArray[np.bool_]:
        """Which pairs are one object."""
        return self.exceeds(np.minimum(self.areas[self.one], self.areas[self.other]))

    def exceeds(self, smaller: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which pairs would be one object if the smaller seed claimed so many pixels."""
        found: NDArray[np.bool_] = self.shared.astype(np.float32) / smaller.astype(np.float32) > OVERLAP_THRESHOLD
        return found

    def objects(self, linked: NDArray[np.bool_]) -> SeedObjects:
        """Return the objects if those pairs belong together."""
        objects, count = _united(self.seeds.size, self.one[linked], self.other[linked])
        return SeedObjects(self.seeds, objects, count)


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
