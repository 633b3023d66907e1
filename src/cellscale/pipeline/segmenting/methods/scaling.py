"""The network's input where each channel is stretched between two of its percentiles."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.preparation import PASSES, at_network_size, passes, recalled
from cellscale.preprocess.statistics import channel_percentiles
from cellscale.regions import Region, RegionReader

__all__ = ["ScaledImage", "prepare_scaled"]

PERCENTAGES = (0.1, 99.9)
"""Percentiles of a channel that become 0 and 1."""

_LEAST = 1e-6
"""Added to their distance, so that a blank channel becomes 0."""


@dataclass(frozen=True, slots=True)
class ScaledImage:
    """The image as the network is to see it."""

    channels: tuple[RegionReader, ...]
    """The channels at the network's pixel size."""
    limits: tuple[tuple[float, float], ...]
    """The two percentiles of each."""
    shape: tuple[int, int]
    """Rows and columns at the network's pixel size."""

    def read(self, region: Region) -> NDArray[np.float32]:
        """Return the network's input for a region, float32 ``(channels, rows, columns)``."""
        pixels = np.empty((len(self.channels), *region.shape), np.float32)
        for index, (read, (low, high)) in enumerate(zip(self.channels, self.limits, strict=True)):
            pixels[index] = read(region)
            pixels[index] -= np.float32(low)
            pixels[index] /= np.float32(high - low + _LEAST)
        return pixels


def prepare_scaled(run: ImageRun, state: RunState, source: NetworkInput) -> ScaledImage:
    """Learn the percentiles of each channel, or recall them from an earlier run.

    Raises
    ------
    ImageError
        Pixels are NaN or infinite, or cannot be read.
    """
    channels, shape = at_network_size(run, state, source)
    count = len(channels)
    found = recalled(
        state,
        "percentiles",
        lambda: {"limits": _limits(run, channels, shape, source.dtypes)},
        lambda facts: _are_limits(facts, count),
    )
    return ScaledImage(channels, tuple((low, high) for low, high in found["limits"]), shape)


def _limits(
    run: ImageRun, channels: Iterable[RegionReader], shape: tuple[int, int], dtypes: Iterable[np.dtype[Any]]
) -> list[list[float]]:
    pairs = list(zip(channels, dtypes, strict=True))
    with passes(run, "statistics", shape, sum(PASSES[dtype.itemsize] for _, dtype in pairs)) as over:
        return [channel_percentiles(over(read), dtype, PERCENTAGES, shape[0] * shape[1]) for read, dtype in pairs]


def _are_limits(facts: dict[str, Any], count: int) -> bool:
    """Tell whether facts can be two percentiles of each channel."""
    limits = facts.get("limits")
    return (
        isinstance(limits, list)
        and len(limits) == count
        and all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) for pair in limits)
    )


def _is_number(fact: object) -> bool:
    return isinstance(fact, (int, float)) and not isinstance(fact, bool)
