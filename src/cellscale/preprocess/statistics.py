"""Exact facts of a whole channel from passes over its blocks, in any order and in parallel."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cellscale.compiled import kernel
from cellscale.errors import ImageError
from cellscale.preprocess.keys import DIGIT_BITS, KeySpace, Words, require_supported
from cellscale.preprocess.preprocessing import MESMER

__all__ = ["ChannelStatistics", "MapBlocks", "channel_percentiles", "channel_statistics", "value_range"]

_DIGITS = 1 << DIGIT_BITS

T = TypeVar("T")


class MapBlocks(Protocol):
    """Applies a function to the pixels of every block of one channel."""

    def __call__(self, function: Callable[[NDArray[Any]], T], /) -> Iterable[T]:
        """Return the function's results, one a block, in any order; every pixel is in exactly one block."""


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """What equalisation needs to know of a whole channel, exact in the channel's dtype."""

    clip: float
    """Brighter pixels become this value: a percentile of the non-zero pixels, truncated for integers."""

    minimum: float
    """Smallest value after clipping."""

    maximum: float
    """Largest value after clipping."""


@dataclass(frozen=True, slots=True)
class _Survey:
    """What one block, or several merged, tells in the first pass."""

    counts: NDArray[np.int64]
    """Number of non-zero pixels by the first digit of their key."""

    lowest: float
    highest: float

    def merged(self, other: "_Survey") -> "_Survey":
        """Return the survey of both."""
        return _Survey(self.counts + other.counts, min(self.lowest, other.lowest), max(self.highest, other.highest))


def channel_statistics(
    map_blocks: MapBlocks, dtype: DTypeLike, percentile: float = MESMER.percentile
) -> ChannelStatistics:
    """Return the exact statistics of a channel.

    One pass for integers of up to 16 bits, two for 32-bit values, four for float64: each pass counts 16 more bits of
    the values around the percentile.

    Parameters
    ----------
    map_blocks
        Applies a function to every block; called once a pass, must show the same pixels each time.
    dtype
        The channel's dtype: integers of 8, 16 or 32 bits, float32 or float64.
    percentile
        Of the non-zero pixels, above 0, at most 100: brighter ones are clipped to it.

    Returns
    -------
    The statistics; the percentile equals ``numpy.percentile(non_zero, percentile)`` in float64, cast to ``dtype``.

    Raises
    ------
    ImageError
        Pixels are NaN or infinite, their range exceeds float32, or ``dtype`` is not supported.
    """
    space = KeySpace(require_supported(dtype))
    survey = reduce(_Survey.merged, map_blocks(partial(_survey, space=space)))
    total = int(survey.counts.sum())
    # A blank channel has no percentile; any clip that leaves zeros alone will do.
    clip = (
        _truncated(_percentile(map_blocks, survey.counts, (total, percentile), space), space.dtype) if total else 0.0
    )
    _require_float32_range(min(survey.lowest, clip), min(survey.highest, clip))
    return ChannelStatistics(clip=clip, minimum=min(survey.lowest, clip), maximum=min(survey.highest, clip))


def channel_percentiles(
    map_blocks: MapBlocks, dtype: DTypeLike, percentages: tuple[float, ...], pixels: int
) -> list[float]:
    """Return exact percentiles of all pixels of a channel, zeros included, in as many passes as its statistics take.

    Parameters
    ----------
    map_blocks
        Applies a function to every block; called once a pass, must show the same pixels each time.
    dtype
        The channel's dtype: integers of 8, 16 or 32 bits, float32 or float64.
    percentages
        Which percentiles, each from 0 to 100.
    pixels
        Number of pixels of the channel.

    Returns
    -------
    The percentiles as ``numpy.percentile`` interpolates them in float64.

    Raises
    ------
    ImageError
        Pixels are NaN or infinite, their range exceeds float32, or ``dtype`` is not supported.
    """
    space = KeySpace(require_supported(dtype))
    survey = reduce(_Survey.merged, map_blocks(partial(_survey, space=space)))
    _require_float32_range(survey.lowest, survey.highest)
    places = [(pixels - 1) * (percentage / 100) for percentage in percentages]
    ranks = {rank for place in places for rank in (int(place), min(int(place) + 1, pixels - 1))}
    values = _ranked_with_zeros(map_blocks, survey.counts, sorted(ranks), pixels, space)
    return [
        _between(values[int(place)], values[min(int(place) + 1, pixels - 1)], place - int(place)) for place in places
    ]


def _ranked_with_zeros(
    map_blocks: MapBlocks, first: NDArray[np.int64], ranks: list[int], pixels: int, space: KeySpace
) -> dict[int, float]:
    """Return the values of some ranks among all pixels, of which the zeros were not counted."""
    shift = space.bits - DIGIT_BITS
    below = int(first[: space.key(0.0) >> shift].sum())  # negative ones
    zeros = pixels - int(first.sum())
    others = {rank: rank if rank < below else rank - zeros for rank in ranks if rank < below or rank >= below + zeros}
    wanted = tuple(dict.fromkeys(others.values()))
    found = dict(zip(wanted, _ranked(map_blocks, first, wanted, space), strict=True)) if wanted else {}
    return {rank: found[others[rank]] if rank in others else 0.0 for rank in ranks}


def value_range(map_blocks: MapBlocks, dtype: DTypeLike) -> tuple[float, float]:
    """Return a channel's smallest and largest value, in one pass.

    Raises
    ------
    ImageError
        Pixels are NaN or infinite, or ``dtype`` is not supported.
    """
    require_supported(dtype)
    ranges = list(map_blocks(_block_range))
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _block_range(pixels: NDArray[Any]) -> tuple[float, float]:
    """Return a block's smallest and largest value."""
    _require_finite(pixels)
    return float(pixels.min()), float(pixels.max())


def _require_finite(pixels: NDArray[Any]) -> None:
    """Raise `ImageError` where a pixel is NaN or infinite."""
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return
    nan, infinite = int(np.isnan(pixels).sum()), int(np.isinf(pixels).sum())
    raise ImageError(
        f"at least {nan} pixels are not a number (NaN) and {infinite} are infinite; expected finite values only. "
        "Replace them, for instance by 0, and save the image again."
    )


def _require_float32_range(low: float, high: float) -> None:
    """Raise `ImageError` where float32, in which channels are equalised, cannot hold the values and their range."""
    if max(abs(low), abs(high), high - low) > float(np.finfo(np.float32).max):
        raise ImageError(
            f"the pixels range from {low:g} to {high:g}; expected a range that float32 can hold, up to 3.4e38. "
            "Divide the image by a constant and save it again."
        )


def _survey(pixels: NDArray[Any], space: KeySpace) -> _Survey:
    """Return a block's range and its counts by first digit."""
    lowest, highest = _block_range(pixels)
    return _Survey(_digit_counts(pixels, space, (0,), space.bits - DIGIT_BITS)[0], lowest, highest)


def _digit_counts(pixels: NDArray[Any], space: KeySpace, prefixes: tuple[int, ...], shift: int) -> NDArray[np.int64]:
    """Return, for each prefix of key digits, how many non-zero pixels have it, by their next digit."""
    counts = np.zeros((len(prefixes), _DIGITS), np.int64)
    patterns, flips, zeros = space.patterns(pixels), space.flips, space.zeros
    for row, prefix in zip(counts, prefixes, strict=True):
        _count_digits(patterns, (flips, zeros), (prefix, shift), row)
    return counts


@kernel
def _count_digits(
    patterns: Words,
    space: tuple[Words, Words],
    digits: tuple[int, int],
    counts: NDArray[np.int64],
) -> None:
    """Count non-zero values by one digit of their keys.

    Parameters
    ----------
    patterns
        Bits of the values.
    space
        `KeySpace.flips` and `KeySpace.zeros`.
    digits
        The higher digits of the keys that count, and the lowest bit of the digit to count by.
    counts
        65,536 counts, added to.
    """
    # Keys are made as they are counted: an array of them would be as large as the block.
    clear, flipped, sign = space[0]
    zeros = (space[1][0], space[1][1])
    prefix, shift = np.uint64(digits[0]), np.uint64(digits[1])
    for pattern in patterns:
        key = pattern ^ (flipped if pattern & sign else clear)
        rest = np.uint64(key) >> shift
        # The higher digits choose the candidates; zeros are compared as keys, as negative zero has other bits.
        if rest >> np.uint64(16) == prefix and key not in zeros:
            counts[rest & np.uint64(65535)] += 1


def _percentile(map_blocks: MapBlocks, first: NDArray[np.int64], wanted: tuple[int, float], space: KeySpace) -> float:
    """Return a percentile of the non-zero pixels, given their number, which one, and counts by first digit."""
    total, percentile = wanted
    virtual = (total - 1) * (percentile / 100)
    below = int(virtual)
    low, high = _ranked(map_blocks, first, (below, min(below + 1, total - 1)), space)
    return _between(low, high, virtual - below)


def _between(low: float, high: float, fraction: float) -> float:
    """Return a value between two, anchored at the nearer one, as numpy does it, so that the last bit agrees."""
    return high - (high - low) * (1 - fraction) if fraction >= 0.5 else low + (high - low) * fraction


def _ranked(map_blocks: MapBlocks, first: NDArray[np.int64], ranks: tuple[int, ...], space: KeySpace) -> list[float]:
    """Return the non-zero values of the given ranks, by counting the next digit of ever fewer candidates."""
    found = [_descend(first, 0, rank) for rank in ranks]
    for shift in range(space.bits - 2 * DIGIT_BITS, -1, -DIGIT_BITS):
        prefixes = tuple(dict.fromkeys(prefix for prefix, _ in found))
        counts = sum(map_blocks(partial(_digit_counts, space=space, prefixes=prefixes, shift=shift)), np.int64(0))
        rows = dict(zip(prefixes, np.asarray(counts), strict=True))
        found = [_descend(rows[prefix], prefix, rank) for prefix, rank in found]
    return [space.value(prefix) for prefix, _ in found]


def _descend(counts: NDArray[np.int64], prefix: int, rank: int) -> tuple[int, int]:
    """Return ``prefix`` with the digit that holds ``rank``, and the rank among the keys with that digit."""
    cumulated = np.cumsum(counts)
    digit = int(np.searchsorted(cumulated, rank, side="right"))
    return (prefix << DIGIT_BITS) | digit, rank - int(cumulated[digit] - counts[digit])


def _truncated(value: float, dtype: np.dtype[Any]) -> float:
    """Return ``value`` as the image's dtype holds it."""
    return float(np.float64(value).astype(dtype))
