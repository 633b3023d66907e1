"""Pixels in descending order of their value."""

import numpy as np

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Labels, PixelValues, SortedPixels

__all__ = ["sorted_pixels"]

_DIGIT_BITS = 11


@kernel
def sorted_pixels(values: PixelValues, labels: Labels, excluded: int) -> SortedPixels:
    """Sort the pixels whose label is not ``excluded`` by descending value, equal ones by ascending index.

    Parameters
    ----------
    values
        Flat float32, finite where sorted; fewer than 2**32.
    labels
        Flat int32 of the same size.
    excluded
        Label of the pixels to leave out.

    Returns
    -------
    uint64: the lower 32 bits are a pixel's index, the upper 32 a key that is equal for equal values.
    """
    # Key and index travel in one word: a pass of the sort then moves one array, not two.
    bits = values.view(np.uint32)
    packed = np.empty(values.size, np.uint64)
    count = 0
    low, high = np.uint32(0xFFFFFFFF), np.uint32(0)
    for i in range(values.size):
        if labels[i] != excluded:
            key = _descending_key(bits[i])
            low, high = min(low, key), max(high, key)
            packed[count] = (np.uint64(key) << np.uint64(32)) | np.uint64(i)
            count += 1
    return _radix_sorted(packed[:count], low, high)


@kernel
def _descending_key(bits: np.uint32) -> np.uint32:
    """Map a float's bits to a uint32 that falls where the float rises; both zeros are one."""
    # Bits of negative floats rise as these fall, as a key has to; those of the others are turned round.
    if bits == np.uint32(0x80000000):
        bits = np.uint32(0)
    if bits & np.uint32(0x80000000):
        return bits
    return np.uint32(0x7FFFFFFF) - bits


@kernel
def _radix_sorted(packed: SortedPixels, low: np.uint32, high: np.uint32) -> SortedPixels:
    """Sort by the upper 32 bits, which lie between ``low`` and ``high``; equal ones stay in their order."""
    # Counted from the lowest key, so that digits which all keys share cost no pass: maps fill a small range.
    span = np.uint64(high - low) if packed.size > 0 else np.uint64(0)
    base = np.uint64(low) << np.uint64(32)
    mask = np.uint64((1 << _DIGIT_BITS) - 1)
    spare = np.empty_like(packed)
    shift = np.uint64(0)
    while span >> shift > np.uint64(0):
        # Counting instead of comparing takes the same time whatever the values, and keeps equal keys in order.
        digit_at = shift + np.uint64(32)
        ends = np.zeros((1 << _DIGIT_BITS) + 1, np.int64)
        for i in range(packed.size):
            ends[((packed[i] - base) >> digit_at & mask) + np.uint64(1)] += 1
        for digit in range(1, ends.size):
            ends[digit] += ends[digit - 1]
        for i in range(packed.size):
            digit = (packed[i] - base) >> digit_at & mask
            spare[ends[digit]] = packed[i]
            ends[digit] += 1
        packed, spare = spare, packed
        shift += np.uint64(_DIGIT_BITS)
    return packed
