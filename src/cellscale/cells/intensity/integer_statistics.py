"""Statistics of whole numbers, as most cameras give them: the same bits as in floating point, in less time.

Sums of whole numbers are exact whatever their order, so that nothing has to wait for the sum before it, and so is
what mean and variance are made of. What floating point makes of them, in raster order, is known to lie within a bound
around that; mostly all of that rounds to the same float32. Where it does not, it is computed in raster order.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.intensity.moments import N_STATISTICS, moments, sort
from cellscale.compiled import kernel

__all__ = ["measure_whole"]

PixelCounts: TypeAlias = NDArray[np.uint8 | np.uint16]
"""What a camera counted, as it is in the file."""

BINS = 128

LARGEST = (1 << 16) - 1

LONGEST = 1 << 15
"""Pixels of which 64 bits hold all sums of uint16."""

CELL, CYTOPLASM_END = 3, 2
"""Place of the cell among four compartments, and where the list of the second one, the cytoplasm, ends."""


@kernel
def measure_whole(values: PixelCounts, offsets: NDArray[np.int64], places: NDArray[np.int32]) -> NDArray[np.float32]:
    """Measure object after object; ``values`` are uint8 or uint16."""
    objects, compartments = offsets.shape[0], offsets.shape[1] - 1
    out = np.empty((objects, compartments, N_STATISTICS), dtype=np.float32)
    longest = 0
    for index in range(objects):
        longest = max(longest, offsets[index, compartments] - offsets[index, 0])
    chosen, scratch = np.empty(longest, dtype=values.dtype), np.empty(longest, dtype=values.dtype)
    bins = np.empty(BINS, dtype=np.int32)
    for index in range(objects):
        base = offsets[index, 0]
        # Where the nucleus lies within its cell, the cell's pixels are those of nucleus and cytoplasm together. They
        # come in another order, which sums of whole numbers do not feel: the cell's own list is not gathered.
        joined = compartments > CELL and (
            offsets[index, CELL + 1] - offsets[index, CELL] == offsets[index, CYTOPLASM_END] - base
        )
        for pixel in range(offsets[index, compartments - joined] - base):
            chosen[pixel] = values[places[base + pixel]]
        for compartment in range(compartments):
            start, stop = offsets[index, compartment], offsets[index, compartment + 1]
            part = chosen[start - base : stop - base]
            if joined and compartment == CELL:
                part = chosen[: stop - start]
            # Where rounding could go either way, the sums are taken as the reference takes them.
            if not _statistics(part, scratch, bins, out[index, compartment]):
                _moments_in_order(values, places[start:stop], out[index, compartment])
    return out


@kernel
def _statistics(part: PixelCounts, scratch: PixelCounts, bins: NDArray[np.int32], out: NDArray[np.float32]) -> bool:
    """Fill ``out`` with statistics of values in any order; return whether mean, variance and deviation are sure."""
    count = len(part)
    if count == 0:
        out[1] = out[2] = out[3] = np.nan
        return False
    # One pass for all sums, none of which waits for another.
    total, squares = np.int64(0), np.int64(0)
    low, high = np.int64(LARGEST), np.int64(0)
    for one in part:
        value = np.int64(one)
        total += value
        squares += value * value
        low, high = min(low, value), max(high, value)
    out[1], out[2], out[3] = _median(part, low, high, scratch, bins), low, high
    if low == high:
        out[0], out[4], out[5] = low, 0, 0
        return True
    if count > LONGEST:
        return False
    mean = total / count
    variance = (count * squares - total * total) / (count * (count - 1))
    out[0], out[4], out[5] = mean, np.sqrt(variance), variance
    # Both passes over n numbers add rounding errors of 2^-53 of their sums: at most 2n + 4 of them to the mean,
    # because no number is negative, and n + 7 to the variance, where all that the mean's error does is far less.
    less, more = 1 - (count + 8) * 2.0**-51, 1 + (count + 8) * 2.0**-51
    return bool(
        np.float32(mean * less) == np.float32(mean * more)
        and np.float32(variance * less) == np.float32(variance * more)
        and np.float32(np.sqrt(variance * less)) == np.float32(np.sqrt(variance * more))
    )


@kernel
def _moments_in_order(values: PixelCounts, places: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Fill in mean, variance and deviation as floating point makes them in raster order."""
    ordered = np.empty(len(places), dtype=np.float32)
    total = np.float64(0)
    for index in range(len(places)):
        ordered[index] = values[places[index]]
        total += ordered[index]
    mean, variance = moments(ordered, total)
    out[0], out[4], out[5] = mean, np.sqrt(variance), variance


@kernel
def _median(
    values: PixelCounts, low: np.int64, high: np.int64, scratch: PixelCounts, bins: NDArray[np.int32]
) -> float:
    """Return the median, by sorting only those values that share a histogram bin with it."""
    count = len(values)
    first, second = (count - 1) // 2, count // 2
    # Bins as wide as a power of two: a shift instead of a division, and one number a bin where the range is small.
    shift = 0
    while (high - low) >> shift >= BINS:
        shift += 1
    for index in range(BINS):
        bins[index] = 0
    for value in values:
        bins[(np.int64(value) - low) >> shift] += 1
    below, start = 0, 0
    while below + bins[start] <= first:
        below += bins[start]
        start += 1
    stop, up_to = start, below + bins[start]
    while up_to <= second:
        stop += 1
        up_to += bins[stop]
    if shift == 0:
        return low + (start + stop) * 0.5
    # Wider bins leave open where in them the middle lies: what they hold is sorted.
    least, most = low + (start << shift), low + ((stop + 1) << shift)
    chosen = 0
    for value in values:
        scratch[chosen] = value
        chosen += least <= value < most
    middle = scratch[:chosen]
    sort(middle)
    return (np.int64(middle[first - below]) + np.int64(middle[second - below])) * 0.5
