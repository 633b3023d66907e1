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

__all__ = ["WIDTH", "unusual_texts", "write_digits", "write_shortest"]

WIDTH = 24
"""Bytes enough for any text."""

SMALLEST, LARGEST = 1e-3, 1e10
DIGITS = 12
"""Decimals at most."""

SHORT = 2
"""Decimals below which numbers are tried from none up: halves and whole numbers are frequent."""

HALF_GAPS = np.ldexp(1.0, np.arange(256) - 151)
"""Half the distance to the next larger float32, by biased exponent."""

POWERS = 10.0 ** np.arange(DIGITS + 1)
WHOLE_POWERS = 10 ** np.arange(19, dtype=np.int64)

ENOUGH = np.array([np.argmax(POWERS * half > 0.5) or DIGITS for half in HALF_GAPS])
"""Decimals with which any float32 of an exponent reads back, below 2^24: every text is less than half a gap away."""

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
    unusual = values[~usual & np.isfinite(values)]
    if not len(unusual):
        return np.frombuffer(b" ", np.uint8), np.zeros(1, np.int32)
    texts = number_column(unusual).cast(pa.string())
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
        return write_digits(out, place, _rounded_whole(int(size), half, mantissa), 0)
    decimals = _fewest_decimals(size, half, mantissa, ENOUGH[exponent] if mantissa else DIGITS)
    return write_digits(out, place, int(np.rint(size * POWERS[decimals])), decimals)


@kernel
def _fewest_decimals(size: float, half: float, mantissa: int, enough: int) -> int:
    """Return how many decimals a number below 2^24 needs to read back.

    With one more decimal the nearest text is never farther away. So most numbers are found from both ends: they have
    hardly any decimals, or nearly all. Powers of two, whose neighbours are not equally far, are tried one by one.
    """
    first = enough if mantissa == 0 else min(enough, SHORT)
    for decimals in range(first):
        if _reads_back_with(size, half, mantissa, decimals):
            return decimals
    decimals = enough
    while decimals > first and _reads_back_with(size, half, mantissa, decimals - 1):
        decimals -= 1
    return decimals


@kernel
def _reads_back_with(size: float, half: float, mantissa: int, decimals: int) -> bool:
    """Tell whether a number reads back when it is written with some decimals; all products are exact."""
    scaled = size * POWERS[decimals]
    return _reads_back(np.rint(scaled) - scaled, half * POWERS[decimals], mantissa)


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
def write_digits(out: NDArray[np.uint8], place: int, number: int, decimals: int) -> int:
    """Write a whole number with a point before its last ``decimals`` digits, and return the place after it."""
    digits = decimals + 1
    while digits < len(WHOLE_POWERS) and number >= WHOLE_POWERS[digits]:
        digits += 1
    end = back = place + digits + (decimals > 0)
    left = np.uint64(number)  # which is divided faster than a number with a sign
    for digit in range(digits):
        if digit == decimals and decimals:
            back -= 1
            out[back] = POINT
        rest = left // np.uint64(10)
        back -= 1
        out[back] = np.uint64(ZERO) + left - np.uint64(10) * rest
        left = rest
    return end
