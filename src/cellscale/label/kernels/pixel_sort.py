"""Pixels in descending order of their value."""

from typing import Any

import numpy as np

from cellscale.compiled import kernel

__all__ = ["sorted_pixels"]

_DIGIT_BITS = 11


@kernel
def sorted_pixels(values: Any, labels: Any, excluded: Any) -> Any:
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
def _descending_key(bits: Any) -> Any:
    """Map a float's bits to a uint32 that falls where the float rises; both zeros are one."""
    if bits == np.uint32(0x80000000):
        bits = np.uint32(0)
    if bits & np.uint32(0x80000000):
        return bits
    return np.uint32(0x7FFFFFFF) - bits


@kernel
def _radix_sorted(packed: Any, low: Any, high: Any) -> Any:
    """Sort by the upper 32 bits, which lie between ``low`` and ``high``; equal ones stay in their order."""
    span = np.uint64(high - low) if packed.size > 0 else np.uint64(0)
    base = np.uint64(low) << np.uint64(32)
    mask = np.uint64((1 << _DIGIT_BITS) - 1)
    spare = np.empty_like(packed)
    shift = np.uint64(0)
    while span >> shift > np.uint64(0):
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
