"""The small picture of an image that QuPath lists in a project."""

import math
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cellscale.images.info import Image, ImageInfo
from cellscale.qupath.entry.image_server import argb_color
from cellscale.regions import Region

__all__ = ["render_thumbnail", "thumbnail_jpeg"]

_WIDTH, _HEIGHT = 1000, 600
_SCREEN = 1024
"""Side of the picture that the level is chosen for."""

_SATURATED = 0.001
"""Share of the pixels that may be black, and that may be saturated."""

_BINS = 1024
_QUALITY = 75
_BAND_PIXELS = 2**24


def thumbnail_jpeg(image: Image) -> bytes:
    """Return the thumbnail as a JPEG file (see :func:`render_thumbnail`)."""
    return bytes(imagecodecs.jpeg8_encode(render_thumbnail(image), level=_QUALITY))


def render_thumbnail(image: Image) -> NDArray[np.uint8]:
    """Return an image's channels blended in their colours, each stretched over its range of values.

    Parameters
    ----------
    image
        Is read one channel at a time, in bands of rows, at the lowest resolution that suffices.

    Returns
    -------
    RGB, ``(rows, columns, 3)``, at most 600 rows and 1000 columns and never larger than the image.
    """
    info = image.info
    level = _level(info)
    rows, columns = _levels(info)[level]
    scale = min(_WIDTH / columns, _HEIGHT / rows, 1.0)
    shape = max(1, int(rows * scale)), max(1, int(columns * scale))
    blend = np.zeros((3, *shape), dtype=np.float32)
    for channel in info.channels:
        plane = _resized(_stretched(_sampled(image, channel.index, level, shape)), shape)
        argb = argb_color(channel, len(info.channels))
        for place, color in enumerate((argb >> 16 & 0xFF, argb >> 8 & 0xFF, argb & 0xFF)):
            if color:
                blend[place] += plane * np.float64(color)
    # Stacked anew: of a single row or column numpy would keep steps that encoders refuse.
    return np.stack(list(blend.clip(0, 255).astype(np.uint8)), axis=-1)


def _levels(info: ImageInfo) -> tuple[tuple[int, int], ...]:
    return info.levels or (info.shape,)


def _level(info: ImageInfo) -> int:
    """Return the largest level that is no larger than a screen, or else the smallest of all."""
    wanted = math.sqrt(info.height * info.width) / _SCREEN
    factors = [info.width / columns for _, columns in _levels(info)]
    enough = [level for level, factor in enumerate(factors) if factor >= wanted]
    return min(enough, key=factors.__getitem__) if enough else int(np.argmax(factors))


def _sampled(image: Image, channel: int, level: int, shape: tuple[int, int]) -> NDArray[Any]:
    """Return every n-th pixel of a channel: about twice as many rows and columns as ``shape``."""
    rows, columns = _levels(image.info)[level]
    step = max(1, rows // (2 * shape[0]))
    height = max(_BAND_PIXELS // columns // step, 1) * step
    bands = [
        image.read((channel,), Region(top, 0, min(top + height, rows), columns), level)[0, ::step, ::step]
        for top in range(0, rows, height)
    ]
    return np.concatenate(bands)


def _resized(plane: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a plane at a smaller size, by linear interpolation between the pixels' centres."""
    for axis, count in enumerate(shape):
        size = plane.shape[axis]
        if size == count:
            continue
        places = ((np.arange(count) + 0.5) * (size / count) - 0.5).clip(0, size - 1).astype(np.float32)
        before = places.astype(np.int64)
        weights = np.expand_dims(places - before, 1 - axis)
        after = np.minimum(before + 1, size - 1)
        plane = plane.take(before, axis) * (1 - weights) + plane.take(after, axis) * weights
    return plane


def _stretched(plane: NDArray[Any]) -> NDArray[np.float32]:
    """Return values from 0 to 1, a thousandth of them at either end cut off; NaN is as 0."""
    if plane.dtype.kind == "u" and plane.dtype.itemsize <= 2:  # each number is looked at once
        counts = np.bincount(plane.ravel())
        numbers = np.flatnonzero(counts).astype(np.float32)
        table: NDArray[np.float32] = np.zeros(len(counts), np.float32)
        table[counts > 0] = _between(numbers, *_range(numbers, counts[counts > 0]))
        looked_up: NDArray[np.float32] = table[plane]
        return looked_up
    plane = plane.astype(np.float32)
    plane = np.where(np.isfinite(plane), plane, np.float32(0))
    return _between(plane, *_range(plane))


def _between(plane: NDArray[np.float32], low: np.float64, high: np.float64) -> NDArray[np.float32]:
    """Return where numbers lie between two others, from 0 to 1."""
    if high <= low:
        return np.zeros_like(plane)
    return ((plane - low) / (high - low)).clip(0, 1).astype(np.float32)


def _range(plane: NDArray[np.float32], times: NDArray[np.int64] | None = None) -> tuple[np.float64, np.float64]:
    """Return the values that are shown black and bright; numbers may be there several times each."""
    low, high = plane.min(), plane.max()
    if low == high:
        return np.float64(low), np.float64(high)
    # In float64, because bins may be narrower than float32 tells numbers apart.
    counts, edges = np.histogram(plane.astype(np.float64), bins=_BINS, weights=times)
    for end, neighbour in ((0, 1), (-1, -2)):
        # Background and overexposed pixels pile up at the ends and say nothing of the rest.
        if counts[end] > counts[neighbour]:
            counts[end] = 0
    limit = counts.sum() * _SATURATED
    first = int(np.argmax(counts.cumsum() > limit))
    last = _BINS - int(np.argmax(counts[::-1].cumsum() > limit))
    return edges[first], edges[last]
