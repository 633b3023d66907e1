"""Which of the labels of a part of an image stay: those whose centre is in it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.annotations import WantedArea
from cellscale.regions import Region, RegionReader

__all__ = ["Selection", "selected_labels"]


@dataclass(frozen=True, slots=True)
class Selection:
    """What becomes of labels."""

    numbers: NDArray[np.int32]
    """For each label from 0 on its new number, in the same order; 0 for those that go."""

    regions: NDArray[np.int64]
    """For each label its region; -1 for those that go, and for background."""

    names: int
    """How many regions there are."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Return how many labels stay in each region."""
        counts = np.bincount(self.regions[self.regions >= 0], minlength=self.names)
        return tuple(int(number) for number in counts)

    def first(self, count: int) -> "Selection":
        """Return what becomes of the first so many labels alone."""
        return Selection(self.numbers[: count + 1], self.regions[: count + 1], self.names)

    def __call__(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the new labels."""
        return self.numbers[labels]

    def __len__(self) -> int:
        return int(np.count_nonzero(self.numbers))


def selected_labels(area: WantedArea, read: RegionReader, parts: Iterable[Region], count: int) -> Selection:
    """Select the labels whose centre, the mean of their pixels' centres, is in an area.

    Parameters
    ----------
    area
        The area.
    read
        Reads labels, 0 for background, at the image's own size.
    parts
        Rectangles that hold all labels, and do not overlap.
    count
        The highest label.
    """
    sums = np.zeros((3, count + 1))
    for part in parts:
        labels = read(part)
        rows, columns = np.nonzero(labels)
        found = labels[rows, columns]
        for index, values in enumerate((None, columns + part.left, rows + part.top)):
            sums[index] += np.bincount(found, values, count + 1)
    there = np.flatnonzero(sums[0] > 0)
    centres = (sums[1:, there] / sums[0, there] + 0.5).T
    regions = area.indices(centres)
    kept = there[regions >= 0]
    numbers = np.zeros(count + 1, np.int32)
    numbers[kept] = np.arange(1, len(kept) + 1)
    of_labels = np.full(count + 1, -1, np.int64)
    of_labels[there] = regions
    return Selection(numbers, of_labels, len(area.names))
