"""The network's input where the values of each channel are moved and divided, by facts of the whole image or not."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.inputs import NetworkInput
from cellscale.pipeline.segmenting.preparation import (
    PASSES,
    PASSES_TO_SCALE,
    STEP,
    at_network_size,
    passes,
    recalled,
)
from cellscale.predict.input_format import Fixed, Normalisation, Percentiles, ZScore
from cellscale.preprocess.channel_scaling import mean_and_deviation
from cellscale.preprocess.statistics import MapBlocks, channel_percentiles, value_range
from cellscale.regions import Region, RegionReader, blocks

__all__ = ["ScaledImage", "prepare_scaled"]

_LEAST = 1e-6
"""Added to what values are divided by, so that a blank channel becomes 0."""


@dataclass(frozen=True, slots=True)
class ScaledImage:
    """The image as the network is to see it."""

    channels: tuple[RegionReader, ...]
    """The channels at the network's pixel size."""
    scales: tuple[tuple[float, float], ...]
    """What each is moved by, and then divided by."""
    shape: tuple[int, int]
    """Rows and columns at the network's pixel size."""
    clip: tuple[float, float] | None = None
    """What lies beyond becomes these."""

    def read(self, region: Region) -> NDArray[np.float32]:
        """Return the network's input for a region, float32 ``(channels, rows, columns)``."""
        pixels = np.empty((len(self.channels), *region.shape), np.float32)
        for index, (read, (offset, divisor)) in enumerate(zip(self.channels, self.scales, strict=True)):
            pixels[index] = read(region)
            pixels[index] -= np.float32(offset)
            pixels[index] /= np.float32(divisor)
        if self.clip is not None:
            np.clip(pixels, np.float32(self.clip[0]), np.float32(self.clip[1]), out=pixels)
        return pixels


def prepare_scaled(run: ImageRun, state: RunState, source: NetworkInput, how: Normalisation) -> ScaledImage:
    """Learn what each channel is moved and divided by, or recall it from an earlier run.

    Raises
    ------
    ImageError
        Pixels are NaN or infinite, or cannot be read.
    """
    channels, shape = at_network_size(run, state, source)
    count = len(channels)
    found = recalled(
        state,
        "scales",
        lambda: {"scales": _scales(run, channels, source, shape, how)},
        lambda facts: _are_scales(facts, count),
    )
    return ScaledImage(channels, tuple((offset, divisor) for offset, divisor in found["scales"]), shape, how.clip)


def _scales(
    run: ImageRun,
    channels: tuple[RegionReader, ...],
    source: NetworkInput,
    shape: tuple[int, int],
    how: Normalisation,
) -> list[list[float]]:
    """Return what each channel is moved and divided by."""
    dtypes, judged = source.dtypes, source.judged
    if isinstance(how, Fixed) and all(dtype.kind != "f" for dtype in dtypes):
        return [[how.offset, how.divisor]] * len(channels)
    most = PASSES_TO_SCALE["zscore"] if isinstance(how, ZScore) else 1
    pixels = shape[0] * shape[1]
    if judged is not None:
        pixels = sum(int(judged(region, shape).sum()) for region in blocks(shape, STEP))
    with passes(run, "statistics", shape, most * sum(PASSES[dtype.itemsize] for dtype in dtypes), judged) as over:
        scale = partial(_scale, how=how, pixels=pixels)
        return [scale(over(read), dtype) for read, dtype in zip(channels, dtypes, strict=True)]


def _scale(map_blocks: MapBlocks, dtype: np.dtype[Any], how: Normalisation, pixels: int) -> list[float]:
    """Return what a channel is moved and divided by."""
    if isinstance(how, Percentiles):
        low, high = channel_percentiles(map_blocks, dtype, (how.low, how.high), pixels)
        return [low, high - low + _LEAST]
    if isinstance(how, Fixed):
        value_range(map_blocks, dtype)  # refuses what is not finite
        return [how.offset, how.divisor]
    mean, deviation = mean_and_deviation(map_blocks, dtype)
    return [mean, deviation + _LEAST]


def _are_scales(facts: dict[str, Any], count: int) -> bool:
    """Tell whether facts can be what each channel is moved and divided by."""
    scales = facts.get("scales")
    return (
        isinstance(scales, list)
        and len(scales) == count
        and all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) for pair in scales)
    )


def _is_number(fact: object) -> bool:
    return isinstance(fact, (int, float)) and not isinstance(fact, bool)
