"""Facts of pixels that belong together, found piece by piece and merged in bounded memory."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.scratch_arrays import Scratch

__all__ = ["GROUP", "SortedGroups", "grouped"]

GROUP = np.dtype([("key", "u8"), ("pixels", "i8"), ("box", "i4", 4)])
"""Pixels with equal keys: their number, and their box as top, left, bottom, right (half open)."""

SAMPLE = 1024
"""Of so many groups one is remembered, to cut keys into ranges by."""

LOWER = np.uint64(0xFFFFFFFF)
"""The half of a key that ranges are not cut in."""


def grouped(keys: NDArray[np.uint64], pixels: NDArray[np.int64], boxes: NDArray[np.int32]) -> NDArray[np.void]:
    """Sum pixels and unite boxes of equal keys; ascending by key."""
    if not len(keys):
        return np.empty(0, GROUP)
    order = np.argsort(keys)
    keys, boxes = keys[order], boxes[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    out = np.empty(len(starts), GROUP)
    out["key"] = keys[starts]
    out["pixels"] = np.add.reduceat(pixels[order], starts)
    out["box"][:, :2] = np.minimum.reduceat(boxes[:, :2], starts, axis=0)
    out["box"][:, 2:] = np.maximum.reduceat(boxes[:, 2:], starts, axis=0)
    return out


class SortedGroups:
    """Groups of many pieces of an image, kept in a file until all of them are there.

    Parameters
    ----------
    scratch
        Where they are kept.
    at_a_time
        About how many groups are merged at a time.
    """

    def __init__(self, scratch: Scratch, at_a_time: int = 1 << 18) -> None:
        self._scratch = scratch
        self._at_a_time = at_a_time
        self._file = scratch.growing(GROUP)
        self._offsets = [0]
        self._sample = [np.empty(0, np.uint64)]

    def add(self, groups: NDArray[np.void]) -> None:
        """Keep the groups of one piece, ascending by key."""
        self._file.append(groups)
        self._offsets.append(self._offsets[-1] + len(groups))
        self._sample.append(groups["key"][::SAMPLE])

    def merged(self) -> Iterator[NDArray[np.void]]:
        """Yield all groups once, ascending by key; those that share the upper half of their keys come together."""
        groups = self._file.array()
        cuts = self._cuts()
        bounds = np.empty((len(self._offsets) - 1, len(cuts) + 2), np.int64)
        for part, (start, stop) in enumerate(pairwise(self._offsets)):
            bounds[part] = start, *(start + np.searchsorted(groups["key"][start:stop], cuts)), stop
        for starts, stops in pairwise(bounds.T):
            some = np.concatenate([groups[start:stop] for start, stop in zip(starts, stops, strict=True)])
            self._scratch.release()
            yield grouped(some["key"], some["pixels"], some["box"])

    def _cuts(self) -> NDArray[np.uint64]:
        """Return keys that cut all groups into ranges of about the wanted number."""
        sample = np.sort(np.concatenate(self._sample)) & ~LOWER
        return np.unique(sample[:: max(self._at_a_time // SAMPLE, 1)])[1:]
