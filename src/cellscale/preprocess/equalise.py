"""Clip, rescale and equalise a channel, region by region.

A region needs only the pixels of the blocks around it, as a rule 128 pixels wide, so that an image of any size is
equalised in bounded memory, and each pixel's value is the same whatever region it is computed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.preprocess.clahe import bin_table, block_maps, clip_count, interpolate, to_bins, weights
from cellscale.preprocess.preprocessing import MESMER, Preprocessing
from cellscale.preprocess.statistics import ChannelStatistics
from cellscale.regions import Region, RegionReader

__all__ = ["ChannelFacts", "equalise", "finish", "level_range", "merged_range", "preprocess", "rescale"]

_BIN_TABLE = bin_table()


@dataclass(frozen=True, slots=True)
class ChannelFacts(ChannelStatistics):
    """All that preprocessing a region needs to know of the whole channel.

    ``dataclasses.asdict`` gives a dictionary that JSON keeps exactly, ``ChannelFacts(**dictionary)`` the facts again.
    """

    equalised_minimum: int
    """Smallest equalised grey level of the channel."""

    equalised_maximum: int
    """Largest equalised grey level of the channel."""


@dataclass(frozen=True, slots=True)
class _Span:
    """What one axis of a region needs: blocks of pixels from the image's first pixel on."""

    start: int
    stop: int
    length: int
    """Pixels of the whole image along the axis."""
    side: int
    """Pixels of a block along the axis."""

    @property
    def cells(self) -> range:
        """Cells between block centres that the region touches; cell i lies between blocks i - 1 and i."""
        return range((self.start + self.side // 2) // self.side, (self.stop - 1 + self.side // 2) // self.side + 1)

    @property
    def blocks(self) -> range:
        """Blocks whose maps those cells interpolate."""
        last = (self.length - 1) // self.side
        return range(max(self.cells.start - 1, 0), min(self.cells.stop - 1, last) + 1)

    @property
    def sources(self) -> NDArray[np.int64]:
        """For each pixel of the blocks, the image's pixel it is; beyond the image's end they are mirrored."""
        pixels = np.arange(self.blocks.start * self.side, self.blocks.stop * self.side)
        period = max(2 * (self.length - 1), 1)
        pixels %= period
        return np.minimum(pixels, period - pixels) if self.length > 1 else np.zeros_like(pixels)

    @property
    def corners(self) -> NDArray[np.int64]:
        """Index among the blocks of each cell's first map and, at the end, of the last cell's second one."""
        needed = np.arange(self.cells.start - 1, self.cells.stop)
        return np.clip(needed - self.blocks.start, 0, len(self.blocks) - 1)

    @property
    def inside(self) -> slice:
        """The region's pixels among those of the blocks."""
        origin = self.blocks.start * self.side
        return slice(self.start - origin, self.stop - origin)

    @property
    def offset(self) -> int:
        """Position of the region's first pixel in its first cell."""
        return (self.start + self.side // 2) % self.side


def equalise(
    read: RegionReader,
    region: Region,
    shape: tuple[int, int],
    statistics: ChannelStatistics,
    kernel_side: int = MESMER.clahe_kernel,
) -> NDArray[np.uint16]:
    """Return a region of the clipped, rescaled and equalised channel, before the last rescale.

    Parameters
    ----------
    read
        Answers for a region of the raw channel with ``(rows, columns)``.
    region
        What to compute, inside the image, not empty.
    shape
        Rows and columns of the whole image.
    statistics
        Facts of the whole channel.
    kernel_side
        Rows and columns of the blocks whose histograms are equalised.

    Returns
    -------
    Grey levels 0 to 16383, ``region.shape``; zeros where the channel is constant.
    """
    if _is_constant(statistics):
        return np.zeros(region.shape, np.uint16)
    rows = _Span(region.top, region.bottom, shape[0], kernel_side)
    columns = _Span(region.left, region.right, shape[1], kernel_side)
    bins = _block_bins(read, rows.sources, columns.sources, statistics)
    maps = np.empty((len(rows.blocks), len(columns.blocks), 256), np.float32)
    block_maps(bins, clip_count(kernel_side), maps)
    levels = np.empty(region.shape, np.uint16)
    corners = maps[np.ix_(rows.corners, columns.corners)]
    inside, offset = bins[rows.inside, columns.inside], (rows.offset, columns.offset)
    interpolate(inside, corners, offset, weights(kernel_side), levels)
    return levels


def level_range(levels: NDArray[np.uint16]) -> tuple[int, int]:
    """Return the smallest and largest grey level of a region."""
    return int(levels.min()), int(levels.max())


def merged_range(ranges: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return the range that covers all of ``ranges``, of which there is at least one."""
    lows, highs = zip(*ranges, strict=True)
    return min(lows), max(highs)


def finish(levels: NDArray[np.uint16], facts: ChannelFacts) -> NDArray[np.float32]:
    """Rescale equalised grey levels to 0..1 over the whole image; a constant channel becomes zeros.

    Returns
    -------
    float32, same shape as ``levels``.
    """
    scaled = levels.astype(np.float32)
    low, high = np.float32(facts.equalised_minimum), np.float32(facts.equalised_maximum)
    if low == high:
        return np.minimum(scaled, np.float32(1), out=scaled)
    scaled -= low
    scaled /= high - low
    return scaled


def preprocess(
    read: RegionReader,
    region: Region,
    shape: tuple[int, int],
    facts: ChannelFacts,
    preprocessing: Preprocessing = MESMER,
) -> NDArray[np.float32]:
    """Return a region of the network's input channel.

    Parameters
    ----------
    read, region, shape
        As for `equalise`.
    facts
        Facts of the whole channel, found with the same ``preprocessing``.
    preprocessing
        Whether to equalise, and over which blocks.

    Returns
    -------
    float32 in 0..1, ``region.shape``.
    """
    if preprocessing.clahe:
        return finish(equalise(read, region, shape, facts, preprocessing.clahe_kernel), facts)
    return rescale(read, region, facts)


def rescale(read: RegionReader, region: Region, statistics: ChannelStatistics) -> NDArray[np.float32]:
    """Return a region of the clipped channel, rescaled to 0..1 over the whole image; zeros where it is constant.

    This is the network's input where the contrast is not evened out.

    Returns
    -------
    float32, ``region.shape``.
    """
    if _is_constant(statistics):
        return np.zeros(region.shape, np.float32)
    scaled = np.minimum(_as_float32(read(region)), np.float32(statistics.clip))
    low, high = np.float32(statistics.minimum), np.float32(statistics.maximum)
    scaled -= low
    scaled /= np.float32(float(high) - float(low))
    return scaled


def _is_constant(statistics: ChannelStatistics) -> bool:
    """Tell whether all pixels are the same in float32."""
    return bool(np.float32(statistics.minimum) == np.float32(statistics.maximum))


def _block_bins(
    read: RegionReader, rows: NDArray[np.int64], columns: NDArray[np.int64], statistics: ChannelStatistics
) -> NDArray[np.uint8]:
    """Return the histogram bins of whole blocks, given the image's row and column of each of their pixels."""
    region = Region(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
    pixels = _as_float32(read(region))
    low, high = np.float32(statistics.minimum), np.float32(statistics.maximum)
    bins = np.empty(pixels.shape, np.uint8)
    to_bins(pixels, (np.float32(statistics.clip), low, np.float32(float(high) - float(low))), _BIN_TABLE, bins)
    if _is_ascending(rows) and _is_ascending(columns):
        return bins
    return bins[np.ix_(rows - region.top, columns - region.left)]


def _as_float32(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Return pixels as float32."""
    with np.errstate(over="ignore"):  # float64 beyond float32's range becomes infinite, then is clipped
        return np.ascontiguousarray(pixels, np.float32)


def _is_ascending(pixels: NDArray[np.int64]) -> bool:
    """Tell whether each pixel follows its neighbour, so that none is mirrored."""
    return bool((np.diff(pixels) == 1).all())
