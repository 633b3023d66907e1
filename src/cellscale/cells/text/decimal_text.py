"""Write many numbers as QuPath's tables do, exactly and fast.

Java's ``DecimalFormat`` rounds the exact binary value half to even, and then drops trailing zeros. Python's way of
formatting rounds alike, but a number at a time.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel

__all__ = ["Texts", "centroid_decimals", "decimal_texts"]

LARGEST = 2.0**53
"""From here on doubles are whole numbers with more digits than Java keeps."""

WIDTH = 26
"""Bytes enough for a sign, 16 digits before the point and 4 behind it, or for a word."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Strings one after another in UTF-8, as Arrow keeps them."""

    data: NDArray[np.uint8]

    offsets: NDArray[np.int32]
    """String ``i`` is ``data[offsets[i]:offsets[i + 1]]``, ``(n + 1,)``."""


def decimal_texts(
    values: NDArray[np.float64], decimals: NDArray[np.uint8], *, empty: NDArray[np.bool_], nan: str = ""
) -> Texts:
    """Write numbers with at most some decimals.

    Parameters
    ----------
    values
        Numbers, ``(n,)``.
    decimals
        Largest number of decimals of each, at most 4, ``(n,)``.
    empty
        Where to write nothing, ``(n,)``.
    nan
        What to write for NaN.

    Returns
    -------
    The texts: no grouping, no trailing zeros, ``-0`` for negative numbers that vanish, and ``∞``.
    """
    large = values[(np.abs(values) >= LARGEST) & np.isfinite(values) & ~empty]
    words = [word.encode() for word in (nan, "∞", "-∞", *map(_large, large))]
    bounds = np.cumsum([0, *map(len, words)])
    data, offsets = _write_all(values, decimals, empty, np.frombuffer(b"".join(words), dtype=np.uint8), bounds)
    return Texts(data, offsets)


def centroid_decimals(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return how many decimals QuPath gives a centroid: the fewer, the larger it is."""
    return (4 - (values > 1).astype(np.uint8) - (values > 10) - (values > 1000)).astype(np.uint8)


def _large(value: float) -> str:
    """Write a large whole number as Java does: its shortest digits, then zeros."""
    return format(Decimal(repr(float(value))), "f").removesuffix(".0")


@kernel
def _write_all(
    values: NDArray[np.float64],
    decimals: NDArray[np.uint8],
    empty: NDArray[np.bool_],
    words: NDArray[np.uint8],
    bounds: NDArray[np.int64],
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Write number after number; the words are for NaN, the two infinities, and each large number in turn."""
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    out = np.empty(WIDTH * len(values) + len(words), dtype=np.uint8)
    place, large = 0, 3
    for index in range(len(values)):
        value, word = values[index], -1
        if empty[index]:
            pass
        elif np.isnan(value):
            word = 0
        elif np.isinf(value):
            word = 1 if value > 0 else 2
        elif abs(value) >= LARGEST:
            word, large = large, large + 1
        else:
            place = _write(out, place, value, decimals[index])
        if word >= 0:
            for source in range(bounds[word], bounds[word + 1]):
                out[place] = words[source]
                place += 1
        offsets[index + 1] = place
    return out[:place].copy(), offsets


@kernel
def _write(out: NDArray[np.uint8], place: int, value: float, decimals: int) -> int:
    """Write one number below 2^53 at ``place``, and return the place after it."""
    if np.signbit(value):
        out[place] = 45
        place += 1
        value = -value
    whole = int(value)
    power = 1
    for _ in range(decimals):
        power *= 10
    fraction = _rounded(value - whole, power, whole)
    if fraction == power:
        whole, fraction = whole + 1, 0
    place = _write_whole(out, place, whole, 1)
    if fraction == 0:
        return place
    digits = decimals
    while fraction % 10 == 0:
        fraction //= 10
        digits -= 1
    out[place] = 46
    return _write_whole(out, place + 1, fraction, digits)


@kernel
def _rounded(fraction: float, power: int, whole: int) -> int:
    """Return ``fraction * power``, rounded half to even, without any other rounding.

    The fraction is below 1, so it is a 53-bit number divided by a power of two of at least 53.
    """
    mantissa, exponent = math.frexp(fraction)
    number, shift = int(mantissa * LARGEST), 53 - exponent
    if shift > 69:
        return 0
    # number * power needs 67 bits: an upper part in units of 2^32, and a lower one.
    low = (number & 0xFFFFFFFF) * power
    high = (number >> 32) * power + (low >> 32)
    low &= 0xFFFFFFFF
    result = high >> (shift - 32)
    rest = high & ((1 << (shift - 32)) - 1)
    half = 1 << (shift - 33)
    odd = (result if power > 1 else whole) & 1
    if rest > half or (rest == half and (low > 0 or odd)):
        result += 1
    return result


@kernel
def _write_whole(out: NDArray[np.uint8], place: int, number: int, digits: int) -> int:
    """Write a whole number with at least some digits at ``place``, and return the place after it."""
    smallest = 1
    for _ in range(digits):
        smallest *= 10
    while number >= smallest:
        smallest *= 10
        digits += 1
    for back in range(1, digits + 1):
        out[place + digits - back] = 48 + number % 10
        number //= 10
    return place + digits
