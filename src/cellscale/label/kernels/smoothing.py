"""Gaussian smoothing of a region, equal to that of the whole image.

Both axes are done row by row, so that no intermediate image is written. Sums are taken in float64 from the
outermost pair of pixels inwards, and each axis is rounded to float32, which gives the very values of SciPy's
``gaussian_filter``.
"""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import PixelValues
from cellscale.regions import Region

__all__ = ["kernel_radius", "smooth"]

_TRUNCATE = 4.0


def kernel_radius(sigma: float) -> int:
    """Return how many pixels beyond a region its smoothing needs; 0 for no smoothing."""
    return int(_TRUNCATE * sigma + 0.5)


def smooth(values: PixelValues, sigma: float, region: Region, outer: Region) -> PixelValues:
    """Smooth a region as ``scipy.ndimage.gaussian_filter(truncate=4, mode="reflect")`` smooths the whole image.

    Parameters
    ----------
    values
        The pixels of ``outer``.
    sigma
        Standard deviation in pixels.
    region
        The rectangle wanted.
    outer
        ``region`` grown by at least :func:`kernel_radius` and clipped to the image. Its borders reflect, which is
        right at the image's edges and does not reach ``region`` elsewhere.

    Returns
    -------
    The smoothed pixels of ``region``, float32.
    """
    radius = kernel_radius(sigma)
    if radius == 0:
        return values[region.within(outer)]
    weights = np.exp(-0.5 / sigma**2 * np.arange(-radius, radius + 1) ** 2)
    weights /= weights.sum()
    whole = np.ascontiguousarray(values, np.float32)
    top, left = region.top - outer.top, region.left - outer.left
    return _smooth(whole, weights[radius:], top, left, region.height, region.width)


@kernel
def _smooth(
    values: PixelValues, weights: NDArray[np.float64], top: int, left: int, height: int, width: int
) -> PixelValues:
    """Smooth ``height`` x ``width`` pixels from (top, left) on; ``weights`` go from the centre outwards."""
    rows, columns = values.shape
    radius = weights.size - 1
    smoothed = np.empty((height, width), np.float32)
    sums = np.empty(columns, np.float64)
    line = np.empty(columns + 2 * radius, np.float64)
    for row in range(height):
        # Down the columns first, over whole rows of memory; the farthest pair first, as SciPy sums.
        middle = values[top + row]
        for i in range(columns):
            sums[i] = np.float64(middle[i]) * weights[0]
        for distance in range(radius, 0, -1):
            above = values[_reflected(top + row - distance, rows)]
            below = values[_reflected(top + row + distance, rows)]
            weight = weights[distance]
            for i in range(columns):
                sums[i] += (np.float64(above[i]) + np.float64(below[i])) * weight
        # Rounded between the axes as by SciPy, and mirrored once, so that the sums along the row need no test.
        for i in range(columns):
            line[radius + i] = np.float32(sums[i])
        for i in range(1, radius + 1):
            line[radius - i] = line[radius + _reflected(-i, columns)]
            line[radius + columns - 1 + i] = line[radius + _reflected(columns - 1 + i, columns)]
        start = radius + left
        for i in range(width):
            sums[i] = line[start + i] * weights[0]
        for distance in range(radius, 0, -1):
            before, after = line[start - distance :], line[start + distance :]
            weight = weights[distance]
            for i in range(width):
                sums[i] += (before[i] + after[i]) * weight
        for i in range(width):
            smoothed[row, i] = sums[i]
    return smoothed


@kernel
def _reflected(index: int, length: int) -> int:
    """Return where an index beyond the ends lies when the line is mirrored at its ends, the end pixels twice."""
    index %= 2 * length
    return index if index < length else 2 * length - 1 - index
