"""Statistics of the intensities in each compartment of each object."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.intensity.compartments import Pixels
from cellscale.cells.intensity.integer_statistics import measure_whole
from cellscale.cells.intensity.moments import N_STATISTICS, moments, sort
from cellscale.compiled import kernel

__all__ = ["intensities"]

BINS = 64

WHOLE = (np.uint8, np.uint16)


def intensities(window: NDArray[Any], pixels: Pixels) -> NDArray[np.float32]:
    """Measure one channel.

    Parameters
    ----------
    window
        The channel's pixels, taken as float32 like QuPath's, ``(rows, columns)``.
    pixels
        The objects' pixels in that window.

    Returns
    -------
    Mean, median, minimum, maximum, standard deviation and variance, ``(n, compartments, 6)``; NaN where a
    compartment has no pixels.

    Notes
    -----
    The definitions are those of the Apache Commons Math library, in float64, summed in raster order: two-pass mean;
    the mean of the two middle values as median of an even number; sample variance (n - 1), two-pass with
    correction, 0 for one pixel. Minimum, maximum and median pass over NaN pixels; the others are NaN then.
    """
    # Kernels are compiled for the usual types; others are converted.
    whole = window.dtype in WHOLE
    values = np.ascontiguousarray(window, dtype=window.dtype if whole else np.float32)
    measure = measure_whole if whole else _measure
    return measure(values.reshape(-1), pixels.offsets, pixels.places)


@kernel
def _measure(
    values: NDArray[np.float32], offsets: NDArray[np.int64], places: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Measure object after object."""
    objects, compartments = offsets.shape[0], offsets.shape[1] - 1
    out = np.empty((objects, compartments, N_STATISTICS), dtype=np.float32)
    # Scratch once for the largest compartment: an allocation for each would cost more than the sums.
    longest = 0
    for index in range(objects):
        for compartment in range(compartments):
            longest = max(longest, offsets[index, compartment + 1] - offsets[index, compartment])
    chosen, scratch = np.empty(longest, dtype=np.float32), np.empty(longest, dtype=np.float32)
    bins = np.empty(BINS + 1, dtype=np.int64)
    for index in range(objects):
        for compartment in range(compartments):
            start, stop = offsets[index, compartment], offsets[index, compartment + 1]
            _statistics(values, places[start:stop], chosen[: stop - start], scratch, bins, out[index, compartment])
    return out


@kernel
def _statistics(
    values: NDArray[np.float32],
    places: NDArray[np.int32],
    chosen: NDArray[np.float32],
    scratch: NDArray[np.float32],
    bins: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """Fill ``out`` with the six statistics of the values at some places, which are gathered in ``chosen``."""
    # Gathered in the same pass as summed: the later passes then read memory from front to back.
    count = len(places)
    total = np.float64(0)
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for index in range(count):
        value = values[places[index]]
        chosen[index] = value
        total += value
        low = value if value < low else low
        high = value if value > high else high
    mean, variance = moments(chosen, total)
    valid = _without_nan(chosen) if np.isnan(total) else count
    if valid == 0:
        low = high = np.float32(np.nan)
    out[0], out[2], out[3], out[4], out[5] = mean, low, high, np.sqrt(variance), variance
    out[1] = _median(chosen[:valid], low, high, scratch, bins) if valid else np.nan


@kernel
def _without_nan(values: NDArray[np.float32]) -> int:
    """Move the values that are not NaN to the front, and return their number."""
    valid = 0
    for value in values:
        values[valid] = value
        valid += not np.isnan(value)
    return valid


@kernel
def _median(
    values: NDArray[np.float32],
    low: np.float32,
    high: np.float32,
    scratch: NDArray[np.float32],
    bins: NDArray[np.int64],
) -> float:
    """Return the median, by sorting only those values that share a histogram bin with it."""
    # Few values are sorted at once; many are counted in bins first, and only the middle's bin is sorted.
    count = len(values)
    first, second = (count - 1) // 2, count // 2
    scale = np.float32(BINS - 1) / (high - low)
    if count <= 16 or not 0 < scale < np.inf:
        return _middle(values, 0, first, second)
    for index in range(BINS + 1):
        bins[index] = 0
    for value in values:
        bins[int((value - low) * scale) + 1] += 1
    start = 0
    while bins[start] + bins[start + 1] <= first:
        bins[start + 1] += bins[start]
        start += 1
    # Of an even number the two middle values may lie in different bins, with empty ones between.
    below, stop, up_to = bins[start], start, bins[start] + bins[start + 1]
    while up_to <= second:
        stop += 1
        up_to += bins[stop + 1]
    chosen = 0
    for value in values:
        place = int((value - low) * scale)
        scratch[chosen] = value
        chosen += start <= place <= stop
    return _middle(scratch[:chosen], below, first, second)


@kernel
def _middle(values: NDArray[np.float32], below: int, first: int, second: int) -> float:
    """Sort the values and return the mean of the ones at two ranks, of which ``below`` lie before them."""
    sort(values)
    lower, upper = np.float64(values[first - below]), np.float64(values[second - below])
    return lower if lower == upper else lower + (upper - lower) * 0.5
