"""A queue ordered by (value, age), laid out in advance.

Every pixel is queued at most once, so the queue is an array with a place for each pixel, in descending order of
value. Pixels of equal value take the places of their run in the order in which they come. The lowest occupied place
then holds the next pixel by (value, age), and nothing is ever compared. Occupied places are bits in words, and
words that are not empty are bits in groups.
"""

from typing import Any

import numpy as np

from cellscale.compiled import kernel

__all__ = ["next_place", "occupy"]

_DE_BRUIJN = 0x03F79D71B4CB0A89
_FACTOR = np.uint64(_DE_BRUIJN)
_BIT_OF_PRODUCT = np.zeros(64, np.uint64)
for _bit in range(64):
    _BIT_OF_PRODUCT[(_DE_BRUIJN << _bit & 0xFFFFFFFFFFFFFFFF) >> 58] = _bit

# numba makes a float of a uint64 and a plain integer.
_ONE, _SIX, _TWELVE, _TOP_SIX, _LOW_SIX = (np.uint64(number) for number in (1, 6, 12, 58, 63))


@kernel
def occupy(words: Any, groups: Any, place: Any) -> Any:
    """Mark a place as occupied, and return its group."""
    words[place >> _SIX] |= _ONE << (place & _LOW_SIX)
    groups[place >> _TWELVE] |= _ONE << (place >> _SIX & _LOW_SIX)
    return place >> _TWELVE


@kernel
def next_place(words: Any, groups: Any, group: Any) -> Any:
    """Free the lowest occupied place of a group that has one, and return it."""
    word = group << _SIX | _lowest_bit(groups[group])
    bits = words[word]
    place = word << _SIX | _lowest_bit(bits)
    bits &= bits - _ONE
    words[word] = bits
    if bits == 0:
        groups[group] &= groups[group] - _ONE
    return place


@kernel
def _lowest_bit(bits: Any) -> Any:
    """Return the index of the lowest set bit of a uint64 other than 0, by de Bruijn's sequence."""
    return _BIT_OF_PRODUCT[(bits & (~bits + _ONE)) * _FACTOR >> _TOP_SIX]
