"""Gaussian smoothing of a region, equal to that of the whole image."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from cellscale.regions import Region

__all__ = ["kernel_radius", "smooth"]

_TRUNCATE = 4.0


def kernel_radius(sigma: float) -> int:
    """Return how many pixels beyond a region its smoothing needs; 0 for no smoothing."""
    return int(_TRUNCATE * sigma + 0.5)


def smooth(values: NDArray[np.float32], sigma: float, region: Region, outer: Region) -> NDArray[np.float32]:
    """Smooth a region as :func:`scipy.ndimage.gaussian_filter` smooths the whole image.

    Parameters
    ----------
    values
        The pixels of ``outer``.
    sigma
        Standard deviation in pixels.
    region
        The rectangle wanted.
    outer
        ``region`` grown by at least :func:`kernel_radius` and clipped to the image: the filter reflects at the
        borders of ``outer``, which is right at the image's edges and does not reach ``region`` elsewhere.

    Returns
    -------
    The smoothed pixels of ``region``, float32.
    """
    wanted = region.within(outer)
    if kernel_radius(sigma) == 0:
        return values[wanted]
    smoothed: NDArray[np.float32] = gaussian_filter(values, sigma, truncate=_TRUNCATE, mode="reflect")
    return smoothed[wanted]
