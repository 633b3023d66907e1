"""Write float32 numbers with the fewest digits that read back as the same number.

Between a thousandth and ten thousand millions, where nearly all measurements lie, float64 arithmetic is exact: a
float32 has 24 bits and a power of ten up to the twelfth 28 besides those that only move the point. Other numbers are
left to Arrow, whose texts these are, only faster.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cellscale.cells.text.arrow import number_column
from cellscale.compiled import kernel

__all__ = ["WIDTH", "unusual_texts", "write_shortest"]

WIDTH = 24
"""Bytes enough for any text."""

SMALLEST, LARGEST = 1e-3, 1e10
DIGITS = 12
"""Decimals at most."""

HALF_GAPS = np.ldexp(1.0, np.arange(256) - 151)
"""Half the distance to the next larger float32, by biased exponent."""

MINUS, POINT, ZERO = b"-.0"


def unusual_texts(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the texts of those numbers that are too small or too large for the kernel, in order.

    Parameters
    ----------
    values
        Numbers, ``(n,)``; those that are not finite get no text.

    Returns
    -------
    The texts, and where each begins and the last one ends.
    """
    sizes = np.abs(values)
    usual = ((sizes >= SMALLEST) & (sizes < LARGEST)) | (values.view(np.int32) == 0)
    texts = number_column(values[~usual & np.isfinite(values)]).cast(pa.string())
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32, len(texts) + 1) if offsets else np.zeros(1, np.int32)
    return np.frombuffer(data or b" ", np.uint8), bounds


@kernel
def write_shortest(out: NDArray[np.uint8], place: int, value: float, bits: int) -> int:
    """Write a number at ``place``, and return the place after it.

    Parameters
    ----------
    out
        Has room for ``WIDTH`` bytes there.
    place
        Where to write.
    value
        A float32, as float64.
    bits
        Its bits as an integer.

    Returns
    -------
    ``place`` itself where nothing was written, because the number is unusual.
    """
    if bits == 0:
        out[place] = ZERO
        return place + 1
    size = abs(value)
    if not SMALLEST <= size < LARGEST:
        return place
    if value < 0:
        out[place] = MINUS
        place += 1
    exponent, mantissa = (bits >> 23) & 255, bits & 0x7FFFFF
    half = HALF_GAPS[exponent]
    if exponent >= 151:
        return _write_digits(out, place, _rounded_whole(int(size), half, mantissa), 0)
    power = 1.0
    for decimals in range(DIGITS + 1):
        # Both products are exact.
        scaled = size * power
        nearest = np.rint(scaled)
        if _reads_back(nearest - scaled, half * power, mantissa):
            return _write_digits(out, place, int(nearest), decimals)
        power *= 10.0
    return place


@kernel
def _reads_back(distance: float, half: float, mantissa: int) -> bool:
    """Tell whether a number that far from a float32 is nearer to it than to its neighbours."""
    if distance < 0 and mantissa == 0:
        half /= 2  # the neighbour below a power of two is nearer
    return abs(distance) < half or (abs(distance) == half and mantissa % 2 == 0)


@kernel
def _rounded_whole(number: int, half: float, mantissa: int) -> int:
    """Return the roundest whole number that reads back as a number from 2^24 on."""
    power = 10_000_000_000
    while power > 1:
        nearest = (number + power // 2) // power * power
        if nearest > 0 and _reads_back(np.float64(nearest - number), half, mantissa):
            return nearest
        power //= 10
    return number


@kernel
def _write_digits(out: NDArray[np.uint8], place: int, number: int, decimals: int) -> int:
    """Write a whole number with a point before its last ``decimals`` digits, and return the place after it."""
    digits, rest = 1, number // 10
    while rest or digits <= decimals:
        digits, rest = digits + 1, rest // 10
    end = place + digits + (decimals > 0)
    back = end
    for digit in range(digits):
        if digit == decimals and decimals:
            back -= 1
            out[back] = POINT
        back -= 1
        out[back] = ZERO + number % 10
        number //= 10
    return end
