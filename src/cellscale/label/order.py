"""Pixels in descending order of value: the queue of a watershed, laid out in advance.

Every pixel is queued once, so the queue is an array with a place for each, sorted by value once. Pixels of equal
value take the places of their run in the order in which they come, which makes the lowest occupied place the next
pixel by (value, age), without comparing anything. Occupied places are bits in words, non-empty words are bits in
further words.
"""

from typing import Any

import numpy as np

from cellscale.compiled import kernel

__all__ = ["lowest_bit", "ordered_places"]

_DIGIT_BITS = 11
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_ONE = np.uint64(1)
_TABLE_SHIFT = np.uint64(58)
_BIT_OF_PRODUCT = np.zeros(64, np.int64)
for _bit in range(64):
    _BIT_OF_PRODUCT[((0x03F79D71B4CB0A89 << _bit) & 0xFFFFFFFFFFFFFFFF) >> 58] = _bit


@kernel
def lowest_bit(word: Any) -> Any:
    """Return the index of the lowest set bit of a non-zero uint64 (de Bruijn's sequence as a perfect hash)."""
    return _BIT_OF_PRODUCT[((word & (~word + _ONE)) * _DE_BRUIJN) >> _TABLE_SHIFT]


@kernel
def ordered_places(values: Any, labels: Any, excluded: Any) -> Any:
    """Sort the pixels whose label is not ``excluded`` by descending value.

    Parameters
    ----------
    values
        Flat float32, finite where sorted.
    labels
        Flat int32 of the same size.
    excluded
        Label of the pixels to leave out.

    Returns
    -------
    The number n of pixels sorted, and for each pixel the first of the places 0 to n - 1 that pixels of its value
    take: int32, undefined where excluded.
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
    packed = _radix_sorted(packed[:count], low, high)
    places = np.empty(values.size, np.int32)
    run_start, run_key = 0, np.uint64(0xFFFFFFFFFFFFFFFF)
    for i in range(count):
        key_above = packed[i] >> np.uint64(32)
        if key_above != run_key:
            run_start, run_key = i, key_above
        places[packed[i] & np.uint64(0xFFFFFFFF)] = run_start
    return count, places


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
    """Sort by the upper 32 bits, which lie between ``low`` and ``high``; the lower 32 stay in their order."""
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
