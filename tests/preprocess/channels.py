"""Channels to test with, and readers of them that watch what is asked for."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cellscale.preprocess.equalise import ChannelFacts, equalise, level_range, merged_range
from cellscale.preprocess.preprocessing import MESMER, Preprocessing
from cellscale.preprocess.statistics import MapBlocks, channel_statistics
from cellscale.regions import Region, RegionReader, blocks

T = TypeVar("T")

GOLDEN = (
    "BreastMIBI",
    "TissueSample",
    "TissueSample_200x180",
    "TissueSample_257x300",
    "TissueSample_mpp0.65",
    "TissueSample_no_membrane",
)


def golden(shared: Path, name: str) -> dict[str, NDArray[Any]]:
    """Return the reference arrays of one image."""
    with np.load(shared / "data" / "golden" / f"{name}.npz") as arrays:
        return dict(arrays)


def reader(array: NDArray[Any]) -> RegionReader:
    """Return a reader of an array's last two axes that refuses regions outside."""

    def read(region: Region) -> NDArray[Any]:
        assert 0 <= region.top < region.bottom <= array.shape[-2]
        assert 0 <= region.left < region.right <= array.shape[-1]
        return array[(..., *region.slices)]

    return read


def mapper(read: RegionReader, shape: tuple[int, int], size: tuple[int, int]) -> MapBlocks:
    """Return a function that maps others over an image's blocks, in an order that is not raster order."""

    def map_blocks(function: Callable[[NDArray[Any]], T], /) -> Iterable[T]:
        return [function(read(block)) for block in list(blocks(shape, size))[::-1]]

    return map_blocks


def facts_of(
    read: RegionReader,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    size: tuple[int, int] = (300, 200),
    preprocessing: Preprocessing = MESMER,
) -> ChannelFacts:
    """Return a channel's facts, gathered over blocks of ``size``."""
    statistics = channel_statistics(mapper(read, shape, size), dtype, preprocessing.percentile)
    side = preprocessing.clahe_kernel
    low, high = merged_range(
        level_range(equalise(read, block, shape, statistics, side)) for block in blocks(shape, size)
    )
    return ChannelFacts(statistics.clip, statistics.minimum, statistics.maximum, low, high)


def assembled(compute: Callable[[Region], NDArray[T]], shape: tuple[int, int], size: tuple[int, int]) -> NDArray[T]:
    """Return the whole image put together from regions of at most ``size``."""
    rows = []
    for top in range(0, shape[0], size[0]):
        bottom = min(top + size[0], shape[0])
        parts = [
            compute(Region(top, left, bottom, min(left + size[1], shape[1]))) for left in range(0, shape[1], size[1])
        ]
        rows.append(np.concatenate(parts, axis=-1))
    return np.concatenate(rows, axis=-2)
