"""Exact facts of a whole channel by which it is rescaled before it is combined with others."""

import math
import sys
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cellscale.preprocess.keys import require_supported
from cellscale.preprocess.preprocessing import RescaleChannels
from cellscale.preprocess.statistics import MapBlocks, channel_statistics, value_range

__all__ = ["mean_and_deviation", "scaling_facts"]


def scaling_facts(
    map_blocks: MapBlocks, dtype: DTypeLike, rescale: RescaleChannels, percentile: float
) -> dict[str, float]:
    """Return what a channel is clipped to, moved by and divided by.

    ``minmax``: from the smallest value (0) to the largest (1). ``percentile``: the same after clipping to a
    percentile of the non-zero values. ``zscore``: from the mean (0), in standard deviations.

    Parameters
    ----------
    map_blocks
        Applies a function to every block of the channel; may be called several times.
    dtype
        The channel's dtype.
    rescale
        How; not ``none``.
    percentile
        Which one, above 0, at most 100.

    Returns
    -------
    ``clip``, ``offset`` and ``span``; the span is 0 for a channel of one value.

    Raises
    ------
    ImageError
        Pixels are NaN or infinite, or ``dtype`` is not supported.
    """
    if rescale == "zscore":
        mean, deviation = mean_and_deviation(map_blocks, dtype)
        return {"clip": sys.float_info.max, "offset": mean, "span": deviation}
    if rescale == "percentile":
        found = channel_statistics(map_blocks, dtype, percentile)
        return {"clip": found.clip, "offset": found.minimum, "span": found.maximum - found.minimum}
    low, high = value_range(map_blocks, dtype)
    return {"clip": high, "offset": low, "span": high - low}


def mean_and_deviation(map_blocks: MapBlocks, dtype: DTypeLike) -> tuple[float, float]:
    """Return a channel's mean and (population) standard deviation.

    Of integers the sums are exact. Of floats those of blocks are added without rounding, so that the order of the
    blocks does not matter; which blocks there are can change the last digits.

    Raises
    ------
    ImageError
        Pixels are NaN or infinite, or ``dtype`` is not supported.
    """
    kind = require_supported(dtype).kind
    value_range(map_blocks, dtype)  # refuses what is not finite
    if kind in "iu":
        counts, sums, squares = zip(*map_blocks(_integer_sums), strict=True)
        count, total, square = sum(counts), sum(sums), sum(squares)
        return total / count, math.sqrt((count * square - total * total) / (count * count))
    counts, totals = zip(*map_blocks(lambda pixels: (pixels.size, float(pixels.sum(dtype=np.float64)))), strict=True)
    mean = math.fsum(totals) / sum(counts)
    spread = math.fsum(map_blocks(lambda pixels: float(np.square(pixels.astype(np.float64) - mean).sum())))
    return mean, math.sqrt(spread / sum(counts))


def _integer_sums(pixels: NDArray[Any]) -> tuple[int, int, int]:
    """Return the number of pixels, the sum of their values and that of the squares, exact for up to 32 bits."""
    values = pixels.astype(np.int64)
    high, low = np.divmod(np.abs(values), 1 << 16)
    squares = (int((high * high).sum()) << 32) + (int((high * low).sum()) << 17) + int((low * low).sum())
    return values.size, int(values.sum()), squares
