"""Bring a channel to the network's pixel size, region by region.

Linear interpolation after a Gaussian against aliasing, with zeros outside the image: equal to scikit-image's
``resize(order=1, mode="constant", anti_aliasing=True, preserve_range=True)``, cast back to the image's dtype.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cellscale.compiled import kernel
from cellscale.regions import Region, RegionReader

__all__ = ["rescaled_reader", "rescaled_shape"]

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

    def positions(self, start: int, stop: int) -> NDArray[np.float64]:
        """Return the raw coordinate of the centre of each rescaled pixel."""
        centres = np.arange(start, stop, dtype=np.float64) + 0.5
        return centres * self.step - 0.5


def rescaled_shape(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    """Return the rows and columns of an image of ``shape`` after rescaling by ``factor``; at least 1 each."""
    return max(int(shape[0] * factor), 1), max(int(shape[1] * factor), 1)


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
    down, across = rows.positions(region.top, region.bottom), columns.positions(region.left, region.right)
    corner = (int(np.floor(down[0])), int(np.floor(across[0])))
    end = (int(np.floor(down[-1])) + 2, int(np.floor(across[-1])) + 2)
    source, dtype = _filtered(read, Region(*corner, *end), rows, columns)
    output = np.empty(region.shape, np.float64)
    _interpolate(source.astype(np.float64, copy=False), down - corner[0], across - corner[1], output)
    rounded = output.astype(source.dtype, copy=False)
    low, high = (source.dtype.type(limit) for limit in limits)
    return np.clip(rounded, low, high, out=rounded).astype(dtype, copy=False)


def _filtered(
    read: RegionReader, region: Region, rows: _Axis, columns: _Axis
) -> tuple[NDArray[np.floating[Any]], np.dtype[Any]]:
    """Return a region of the smoothed raw channel, zeros where it leaves the image, and the raw dtype."""
    shape = (rows.length, columns.length)
    wanted = region.grown(0, shape)
    margin = max(rows.radius, columns.radius)
    support = wanted.grown(margin, shape)
    raw = read(support)
    pixels = raw if raw.dtype.kind == "f" else raw.astype(np.float64)
    if margin:
        sigma = (rows.sigma, columns.sigma)
        pixels = ndimage.gaussian_filter(pixels, sigma, mode="grid-constant", cval=0.0, truncate=TRUNCATE)
    padding = (
        (wanted.top - region.top, region.bottom - wanted.bottom),
        (wanted.left - region.left, region.right - wanted.right),
    )
    return np.pad(pixels[wanted.within(support)], padding), raw.dtype


@kernel
def _interpolate(
    source: NDArray[np.float64], down: NDArray[np.float64], across: NDArray[np.float64], output: NDArray[np.float64]
) -> None:
    """Write the bilinear interpolation of ``source`` at each of the row and column positions."""
    for row in range(down.size):
        y = int(np.floor(down[row]))
        lower = down[row] - y
        upper = 1.0 - lower
        for column in range(across.size):
            x = int(np.floor(across[column]))
            right = across[column] - x
            left = 1.0 - right
            total = source[y, x] * upper * left + source[y, x + 1] * upper * right
            total = total + source[y + 1, x] * lower * left
            output[row, column] = total + source[y + 1, x + 1] * lower * right
