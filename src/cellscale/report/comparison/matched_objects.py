"""Which objects of two masks are the same, and which were split, merged, lost or added."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.report.comparison.overlaps import Overlaps

__all__ = ["LEVELS", "Matches", "Objects", "match_objects"]

LEVELS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Intersections over union from which on a pair counts as matched: 0.5, 0.55, ... 0.95."""

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one mask."""

    labels: NDArray[np.int64]
    """Ascending."""
    areas: NDArray[np.float64]
    """Pixels of each."""
    rows: NDArray[np.float64]
    """Row of each centroid."""
    columns: NDArray[np.float64]
    """Column of each centroid."""
    matched: NDArray[np.bool_]
    """Whether each has a partner in the other mask with an intersection over union of at least 0.5."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Objects of two masks against each other."""

    first: Objects
    second: Objects
    pairs: NDArray[np.int64]
    """Places in ``first`` and ``second`` of each pair that matches, ``(pairs, 2)``."""
    ious: NDArray[np.float64]
    """Intersection over union of each pair."""
    splits: int
    """Objects of the first that hold more than half of each of two or more of the second."""
    merges: int
    """Objects of the second that hold more than half of each of two or more of the first."""

    def f1(self, level: float) -> float:
        """Return the harmonic mean of precision and recall at an intersection over union; 1 where both are empty."""
        count = len(self.first.labels) + len(self.second.labels)
        return 2 * int(np.count_nonzero(self.ious >= level)) / count if count else 1.0


def match_objects(overlaps: Overlaps) -> Matches:
    """Match the objects of two masks one to one.

    Pairs match when they share at least half of the pixels that they cover together (intersection over union, as in
    Caicedo et al., Nature Methods 2019). An object has then one partner at most, or two with exactly half each, of
    which the one with the lower label is taken.

    Parameters
    ----------
    overlaps
        Pairs of labels that meet.
    """
    first, first_place = _objects(overlaps.first, overlaps)
    second, second_place = _objects(overlaps.second, overlaps)
    both = (overlaps.first > 0) & (overlaps.second > 0)
    one, other, shared = first_place[both], second_place[both], overlaps.pixels[both]
    ious = shared / (first.areas[one] + second.areas[other] - shared)
    chosen = _one_to_one(one, other, ious)
    first.matched[one[chosen]] = True
    second.matched[other[chosen]] = True
    return Matches(
        first,
        second,
        np.stack([one[chosen], other[chosen]], axis=1),
        ious[chosen],
        splits=_holders(one[shared > _HALF * second.areas[other]]),
        merges=_holders(other[shared > _HALF * first.areas[one]]),
    )


def _objects(labels: NDArray[np.int64], overlaps: Overlaps) -> tuple[Objects, NDArray[np.int64]]:
    """Return the objects of one side, and the place of each pair's object among them; -1 for background."""
    found, places = np.unique(labels, return_inverse=True)
    areas, rows, columns = (
        np.bincount(places, sums, minlength=found.size) for sums in (overlaps.pixels, overlaps.rows, overlaps.columns)
    )
    start = int(found.size > 0 and found[0] == 0)
    areas, rows, columns = areas[start:], rows[start:], columns[start:]
    objects = Objects(found[start:], areas, rows / areas, columns / areas, np.zeros(areas.shape, np.bool_))
    return objects, places.astype(np.int64) - start


def _one_to_one(one: NDArray[np.int64], other: NDArray[np.int64], ious: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which pairs match, the best of each object."""
    close = np.flatnonzero(ious >= _HALF)
    best = close[np.lexsort((other[close], one[close], -ious[close]))]
    kept = best[np.sort(np.unique(one[best], return_index=True)[1])]
    kept = kept[np.sort(np.unique(other[kept], return_index=True)[1])]
    return np.sort(kept)


def _holders(places: NDArray[np.int64]) -> int:
    """Count the objects that are there twice or more."""
    return int(np.count_nonzero(np.bincount(places) > 1)) if places.size else 0
