"""Which labels of two masks share how many pixels, counted part by part."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cellscale.ordered import in_order
from cellscale.regions import Region, RegionReader

__all__ = ["Overlaps", "count_overlaps"]

_BITS = 32
_HELD = 1 << 22
"""Rows of counts that are held before equal ones are added up."""

_Counts = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Keys (first label, then second), and for each its pixels and the sums of their rows and columns."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The pairs of labels that meet in two masks, ordered by the first and then the second label; 0 is background."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    pixels: NDArray[np.float64]
    """Pixels that each pair shares; sums of whole numbers, exact up to 2^53."""
    rows: NDArray[np.float64]
    """Sum of their rows."""
    columns: NDArray[np.float64]
    """Sum of their columns."""


def count_overlaps(first: RegionReader, second: RegionReader, regions: Iterable[Region], workers: int) -> Overlaps:
    """Count the pixels of every pair of labels that meet, where at least one is not background.

    Memory grows with the number of pairs, 40 bytes for each, and not with the number of pixels.

    Parameters
    ----------
    first, second
        Read the labels, int32 from 0.
    regions
        Parts of the masks that cover each pixel once.
    workers
        Threads. Does not change the result.
    """
    held: list[_Counts] = []
    size = 0
    for counts in in_order(partial(_counted, first, second), regions, workers):
        held.append(counts)
        size += counts[0].size
        if size > _HELD + (held[0][0].size << 1):
            held = [_added(held)]
            size = held[0][0].size
    keys, sums = _added(held)
    return Overlaps(keys >> _BITS, keys & (2**_BITS - 1), *sums)


def _counted(first: RegionReader, second: RegionReader, region: Region) -> _Counts:
    """Count the pairs of one region, by runs of equal pairs along its rows."""
    keys = (first(region).astype(np.int64) << _BITS) | second(region)
    begins = np.ones(keys.shape, np.bool_)
    np.not_equal(keys[:, 1:], keys[:, :-1], out=begins[:, 1:])
    rows, columns = np.nonzero(begins)
    found = keys[begins]
    lengths = np.diff(np.append(np.flatnonzero(begins), keys.size))
    there = found != 0
    rows, columns, lengths, found = rows[there], columns[there], lengths[there], found[there]
    middles = columns + (lengths - 1) / 2
    sums = np.stack([lengths, lengths * (rows + region.top), lengths * (middles + region.left)]).astype(np.float64)
    return _added([(found, sums)])


def _added(counts: list[_Counts]) -> _Counts:
    """Add up the counts of equal keys."""
    if not counts:
        return np.empty(0, np.int64), np.empty((3, 0), np.float64)
    keys = np.concatenate([one[0] for one in counts])
    sums = np.concatenate([one[1] for one in counts], axis=1)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    if not starts.size:
        return keys, sums
    return keys[starts], np.add.reduceat(sums[:, order], starts, axis=1)
