"""How bright a channel is, from a sample of its pixels: what is shown black and white at first, and a histogram."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.images.info import Image
from cellscale.regions import Region

__all__ = ["Brightness", "Scale", "brightness"]

_SMALL = 1024
"""A level of at most so many rows and columns is read whole."""

_PATCH = 256
_PATCHES = 5
"""Patches a side that are read where there is no small level."""

_DARK, _BRIGHT = 1.0, 99.7
"""Percentiles that are shown black and white."""

_BINS = 64
_STEPS = 65535


@dataclass(frozen=True, slots=True)
class Scale:
    """How intensities become the 16-bit numbers that are sent: ``(value - offset) / step``, rounded and clipped."""

    offset: float
    step: float

    def encoded(self, pixels: NDArray[Any]) -> NDArray[np.uint16]:
        """Return intensities as they are sent; NaN becomes 0."""
        if self.step == 1 and pixels.dtype.kind == "u" and self.offset == 0:
            return pixels.astype("<u2")
        steps = np.nan_to_num((pixels.astype(np.float64) - self.offset) / self.step, nan=0.0)
        return np.rint(steps).clip(0, _STEPS).astype("<u2")


@dataclass(frozen=True, slots=True)
class Brightness:
    """What the sample of a channel says; all numbers but the scale's are in 16-bit steps."""

    scale: Scale

    dark: int
    """Shown black at first, and all below it."""

    bright: int
    """Shown in full colour at first, and all above it; more than ``dark``."""

    top: int
    """The largest number worth choosing."""

    histogram: tuple[int, ...]
    """Pixels of the sample in equal steps from 0 to ``top``."""


def brightness(image: Image, channel: int) -> Brightness:
    """Look at a sample of a channel's pixels."""
    sample = _sample(image, channel)
    scale = _scale(image.info.dtype, sample)
    steps = scale.encoded(sample)
    dark, bright = (int(value) for value in np.percentile(steps, (_DARK, _BRIGHT), method="nearest"))
    highest = int(steps.max())
    bright = min(max(bright, dark + 1), _STEPS)
    top = max(highest, bright, 1)
    counts, _ = np.histogram(steps, bins=_BINS, range=(0, top + 1))
    return Brightness(scale, min(dark, bright - 1), bright, top, tuple(counts.tolist()))


def _sample(image: Image, channel: int) -> NDArray[Any]:
    """Return pixels of a channel: a small level, or patches all over the image."""
    info = image.info
    for level, (height, width) in enumerate(info.levels):
        if max(height, width) <= _SMALL:
            return image.read((channel,), Region(0, 0, height, width), level).ravel()
    level, (height, width) = len(info.levels) - 1, info.levels[-1]
    patches = [
        image.read((channel,), Region(top, left, min(top + _PATCH, height), min(left + _PATCH, width)), level).ravel()
        for top in _starts(height)
        for left in _starts(width)
    ]
    return np.concatenate(patches)


def _starts(size: int) -> list[int]:
    return sorted({int(start) for start in np.linspace(0, max(size - _PATCH, 0), _PATCHES)})


def _scale(dtype: np.dtype[Any], sample: NDArray[Any]) -> Scale:
    if dtype.kind in "ui" and dtype.itemsize <= 2:
        return Scale(float(np.iinfo(dtype).min), 1.0)
    finite = sample[np.isfinite(sample)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if dtype.kind == "u" or low > 0:
        low = 0.0
    step = (high - low) / _STEPS
    return Scale(low, step if step > 0 and math.isfinite(step) else 1.0)
