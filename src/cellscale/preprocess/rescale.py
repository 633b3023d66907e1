"""Bring a channel to the network's pixel size, region by region.

Linear interpolation after a Gaussian against aliasing, with zeros outside the image: equal to scikit-image's
``resize(order=1, mode="constant", anti_aliasing=True, preserve_range=True)``, cast back to the image's dtype.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.regions import Region, RegionReader

__all__ = ["may_be_rescaled", "rescaled_reader", "rescaled_shape"]

TRUNCATE = 4.0
"""The Gaussian is cut off at this many standard deviations."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Rescaling along rows or columns."""

    length: int
    """Raw pixels."""

    rescaled: int
    """Rescaled pixels."""

    @property
    def step(self) -> float:
        """Raw pixels a rescaled pixel."""
        return self.length / self.rescaled

    @property
    def sigma(self) -> float:
        """Standard deviation of the Gaussian, in raw pixels; 0 where the axis is enlarged."""
        return max(0.0, (self.step - 1) / 2)

    @property
    def radius(self) -> int:
        """Raw pixels on either side that the Gaussian reaches."""
        return int(TRUNCATE * self.sigma + 0.5)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The Gaussian's weights, from the centre's outwards."""
        offsets = np.arange(-self.radius, self.radius + 1)
        curve = np.exp(-0.5 / (self.sigma * self.sigma) * offsets**2) if self.radius else np.ones(1)
        return np.asarray((curve / curve.sum())[self.radius :])

    def samples(self, start: int, stop: int) -> "_Samples":
        """Return where rescaled pixels ``start`` to ``stop - 1`` lie among the raw ones."""
        centres = np.arange(start, stop, dtype=np.float64) + 0.5
        positions = centres * self.step - 0.5
        before = np.floor(positions)
        return _Samples(before.astype(np.int64), positions - before)


@dataclass(frozen=True, slots=True)
class _Samples:
    """Where rescaled pixels lie among the raw ones, along one axis."""

    before: NDArray[np.int64]
    """Raw pixel at or before each; -1 where it lies before the image's first."""

    fraction: NDArray[np.float64]
    """Way from that raw pixel to the next."""

    @property
    def start(self) -> int:
        """First raw pixel needed."""
        return int(self.before[0])

    @property
    def stop(self) -> int:
        """One past the last raw pixel needed."""
        return int(self.before[-1]) + 2


def rescaled_shape(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    """Return the rows and columns of an image of ``shape`` after rescaling by ``factor``; at least 1 each."""
    return max(int(shape[0] * factor), 1), max(int(shape[1] * factor), 1)


def may_be_rescaled(shape: tuple[int, int], rescaled: tuple[int, int]) -> bool:
    """Tell whether there is a factor by which an image of ``shape`` has ``rescaled`` rows and columns."""
    sides = list(zip(shape, rescaled, strict=True))
    low = max(0.0 if after == 1 else after / before for before, after in sides)  # at least 1 pixel is left of any
    return low < min((after + 1) / before for before, after in sides)


def rescaled_reader(
    read: RegionReader, shape: tuple[int, int], factor: float, limits: tuple[float, float]
) -> RegionReader:
    """Return a reader of the rescaled channel.

    Parameters
    ----------
    read
        Answers for a region of the raw channel with ``(rows, columns)``.
    shape
        Rows and columns of the raw image.
    factor
        Rescaled pixels a raw pixel: the image's µm/px divided by the network's.
    limits
        Smallest and largest raw value of all the network's channels together; the result is clipped to them.

    Returns
    -------
    A reader whose image has ``rescaled_shape(shape, factor)`` and the raw dtype.
    """
    rows, columns = (_Axis(raw, new) for raw, new in zip(shape, rescaled_shape(shape, factor), strict=True))

    def read_rescaled(region: Region) -> NDArray[Any]:
        return _rescaled(read, region, rows, columns, limits)

    return read_rescaled


def _rescaled(
    read: RegionReader, region: Region, rows: _Axis, columns: _Axis, limits: tuple[float, float]
) -> NDArray[Any]:
    """Return a region of the rescaled channel."""
    down, across = rows.samples(region.top, region.bottom), columns.samples(region.left, region.right)
    needed = Region(down.start, across.start, down.stop, across.stop)
    source, dtype = _filtered(read, needed, rows, columns)
    output = np.empty(region.shape, np.float64)
    before = (down.before - down.start, across.before - across.start)
    _interpolate(source, before, (down.fraction, across.fraction), output)
    rounded = output.astype(source.dtype, copy=False)
    low, high = (source.dtype.type(limit) for limit in limits)
    return np.clip(rounded, low, high, out=rounded).astype(dtype, copy=False)


def _filtered(
    read: RegionReader, region: Region, rows: _Axis, columns: _Axis
) -> tuple[NDArray[np.floating[Any]], np.dtype[Any]]:
    """Return a region of the smoothed raw channel, zeros where it leaves the image, and the raw dtype."""
    inside = region.grown(0, (rows.length, columns.length))
    support = Region(
        max(inside.top - rows.radius, 0),
        max(inside.left - columns.radius, 0),
        min(inside.bottom + rows.radius, rows.length),
        min(inside.right + columns.radius, columns.length),
    )
    raw = read(support)
    pixels = np.ascontiguousarray(raw, raw.dtype if raw.dtype.kind == "f" else np.float64)
    if rows.radius or columns.radius:
        smooth = np.empty(inside.shape, pixels.dtype)
        place = inside.within(support)
        _smooth(pixels, (rows.weights, columns.weights), (place[0].start, place[1].start), smooth)
        pixels = smooth
    return np.pad(pixels, _margins(inside, region)), raw.dtype


def _margins(inner: Region, outer: Region) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many rows and columns ``outer`` has before and after ``inner``."""
    return (
        (inner.top - outer.top, outer.bottom - inner.bottom),
        (inner.left - outer.left, outer.right - inner.right),
    )


@kernel
def _smooth(
    source: NDArray[np.floating[Any]],
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
    origin: tuple[int, int],
    output: NDArray[np.floating[Any]],
) -> None:
    """Filter along rows and columns with symmetric weights, zeros outside ``source``.

    Parameters
    ----------
    source
        float32 or float64; what it lacks around the output is zero.
    weights
        Down and across: from the centre's outwards.
    origin
        Row and column of ``source`` that the output's first pixel is.
    output
        Overwritten; dtype of ``source``, to which the intermediate result is rounded too.
    """
    height, width = source.shape
    down, across = weights
    reach = across.size - 1
    line = np.zeros(width, np.float64)
    padded = np.zeros(width + 2 * reach, source.dtype)
    sums = np.zeros(output.shape[1], np.float64)
    for row in range(output.shape[0]):
        # Down the columns first, over whole rows of memory.
        middle = row + origin[0]
        for column in range(width):
            line[column] = source[middle, column] * down[0]
        # The farthest neighbours come first, as in SciPy: the order of a sum decides its last bit.
        for distance in range(down.size - 1, 0, -1):
            above, below = middle - distance, middle + distance
            for column in range(width):
                pair = np.float64(source[above, column]) if above >= 0 else 0.0
                pair += np.float64(source[below, column]) if below < height else 0.0
                line[column] += pair * down[distance]
        # Rounded to the source's type between the axes, as by SciPy; the zeros at both ends spare the second sum
        # the test for the image's border.
        for column in range(width):
            padded[reach + column] = line[column]
        first = origin[1] + reach
        for column in range(sums.size):
            sums[column] = padded[first + column] * across[0]
        for distance in range(reach, 0, -1):
            for column in range(sums.size):
                near = first + column
                pair = np.float64(padded[near - distance]) + np.float64(padded[near + distance])
                sums[column] += pair * across[distance]
        for column in range(sums.size):
            output[row, column] = sums[column]


@kernel
def _interpolate(
    source: NDArray[np.floating[Any]],
    before: tuple[NDArray[np.int64], NDArray[np.int64]],
    fractions: tuple[NDArray[np.float64], NDArray[np.float64]],
    output: NDArray[np.float64],
) -> None:
    """Write the bilinear interpolation of ``source`` between the given rows and columns and their successors."""
    for row in range(output.shape[0]):
        y = before[0][row]
        lower = fractions[0][row]
        upper = 1.0 - lower
        for column in range(output.shape[1]):
            x = before[1][column]
            right = fractions[1][column]
            left = 1.0 - right
            # The order of products and sums is SciPy's: integers are truncated, so the last bit can count.
            total = source[y, x] * upper * left + source[y, x + 1] * upper * right
            total = total + source[y + 1, x] * lower * left
            output[row, column] = total + source[y + 1, x + 1] * lower * right
