"""What a sample of an image's pixels tells of its channels: intensities, saturation, focus."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cellscale.regions import Region

__all__ = ["Intensities", "blurred_parts", "describe", "sample_regions", "sharpness", "thinning"]

BLOCKS = 48
"""Parts of an image that are looked at, at most."""
SIDE = 512
"""Rows and columns of each, the tiles of `cellscale.report.pictures.crops`."""
VALUES = 2**20
"""Pixels of a channel that are counted, about."""
BINS = 64
NEGLIGIBLE = 1e-4
"""Share of saturated pixels that is not worth telling."""
LEVELS = 32
"""Different values that a channel needs to have before it can be called saturated."""

STEP_UM = 1.0
"""Distance of the pixels that are compared for sharpness, in µm."""
SMOOTH_UM = 1.5
"""Side of the square that pixels are averaged over before, against noise."""
SMOOTH_IMAGE = 1 / 9
"""Sharpness of an image that is smooth over the whole distance: differences grow with the square of the distance."""
BLURRED = 0.02
"""Sharpness beyond that, below which a part is out of focus whatever the others are like."""
FAINT = 0.02
"""Share of the largest variance that a part needs to be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensities:
    """The intensities of a channel."""

    counts: tuple[int, ...]
    """Pixels by intensity, in bins of equal width from ``low`` to ``high``; brighter ones are left out."""
    low: float
    high: float
    median: float
    top: float
    """99.9 % of the pixels are no brighter."""
    maximum: float
    saturated: float
    """Share of the pixels at the largest value that the data can hold or that stands out as such."""
    blank: bool
    """Whether practically all pixels are alike."""


def sample_regions(objects: NDArray[np.int64], shape: tuple[int, int]) -> list[Region]:
    """Choose the parts of an image to look at, spread evenly over those with objects, in raster order.

    Parameters
    ----------
    objects
        Numbers of objects in each tile of ``SIDE``; without any, the parts are spread over the whole image.
    shape
        Rows and columns of the image.
    """
    places = np.argwhere(objects > 0) if objects.any() else np.argwhere(objects >= 0)
    chosen = places[np.unique(np.linspace(0, len(places) - 1, BLOCKS).round().astype(np.int64))]
    corners = ((int(row) * SIDE, int(column) * SIDE) for row, column in chosen)
    return [Region(top, left, min(top + SIDE, shape[0]), min(left + SIDE, shape[1])) for top, left in corners]


def thinning(regions: Sequence[Region]) -> int:
    """Return of how many rows and columns one suffices, so that about ``VALUES`` pixels are left."""
    return max(1, round(sqrt(sum(region.size for region in regions) / VALUES)))


def describe(planes: Sequence[NDArray[Any]], largest: float | None = None) -> Intensities:
    """Describe a channel by a sample of its pixels.

    Parameters
    ----------
    planes
        Parts of the channel, thinned out.
    largest
        The largest value that a pixel can have; None where that is not known.
    """
    whole = all(plane.dtype.kind in "ui" for plane in planes)
    values: NDArray[Any] = np.concatenate([plane.ravel() for plane in planes])
    if not whole or values.dtype.itemsize > 2 or values.dtype.kind == "i":
        # Numbers of 16 bits are sorted faster; between two with signs numpy would overflow.
        values = values.astype(np.float64)
    if not whole:
        values = values[np.isfinite(values)]
    if not len(values):
        values = np.zeros(1)
    low, median, top = (float(value) for value in np.percentile(values, (0, 50, 99.9)))
    maximum = float(values.max())
    high = top if top > low else maximum
    return Intensities(
        counts=_histogram(values, low, high, whole=whole),
        low=low,
        high=high,
        median=median,
        top=top,
        maximum=maximum,
        saturated=_saturated(values, low, maximum, largest),
        blank=bool(np.count_nonzero(values > low) < len(values) / 1000),
    )


def _histogram(values: NDArray[Any], low: float, high: float, *, whole: bool) -> tuple[int, ...]:
    """Count values in bins of equal width from ``low`` to ``high``; of whole numbers each bin holds as many."""
    bins, end = BINS, high if high > low else low + 1
    if whole:
        width = -(-int(high - low + 1) // BINS)
        bins = -(-int(high - low + 1) // width)
        end = low + bins * width
        if values.dtype.itemsize <= 2:
            of_each = np.bincount(values[values <= high].astype(np.intp) - int(low), minlength=bins * width)
            return tuple(int(count) for count in of_each.reshape(bins, width).sum(1))
    counts, _ = np.histogram(values[values <= high], bins=bins, range=(low, end))
    return tuple(int(count) for count in counts)


def _saturated(values: NDArray[Any], low: float, maximum: float, largest: float | None) -> float:
    """Return the share of pixels at the top of what the detector, or the file, could hold.

    A channel that was scaled or saved in a larger type saturates below the type's largest value. It shows as more
    pixels at the maximum than in the whole upper tenth of the range below it. Counts of few ions or photons, which
    have few values, do not saturate like that.
    """
    at_top = np.count_nonzero(values == maximum)
    share = float(at_top / len(values))
    if maximum <= low or share < NEGLIGIBLE or len(np.unique(values)) < LEVELS:
        return 0.0
    if largest is None or maximum < largest:
        below = np.count_nonzero(values > maximum - (maximum - low) / 10) - at_top
        return share if at_top > below else 0.0
    return share


def sharpness(plane: NDArray[Any], mpp: float) -> tuple[float, float]:
    """Tell how sharp a part of a channel is, whatever its brightness and the size of what it shows.

    The squares of the differences of pixels grow with their distance: in proportion to it across sharp edges, with
    its square where all is smooth. The ratio of the mean squares at 1 µm and at 3 µm is therefore a third for sharp
    edges and a ninth for a smooth image.

    Parameters
    ----------
    plane
        ``(rows, columns)``.
    mpp
        µm/px.

    Returns
    -------
    The ratio, and the variance, which tells whether there is anything to be sharp; NaN and 0 where there is not.
    """
    near = max(1, round(STEP_UM / mpp))
    if min(plane.shape) <= 6 * near:
        return float("nan"), 0.0
    side = max(1, round(SMOOTH_UM / mpp))
    smooth = _averaged(np.nan_to_num(plane.astype(np.float32)), side)
    far = _difference(smooth, 3 * near)
    return (float(_difference(smooth, near) / far), float(smooth.var())) if far > 0 else (float("nan"), 0.0)


def blurred_parts(measured: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """Return how many parts could be judged, and how many of them are out of focus.

    Parameters
    ----------
    measured
        Sharpness and variance of each part.
    """
    variances = np.array([variance for _, variance in measured])
    sharp = np.array([ratio for ratio, _ in measured]) - SMOOTH_IMAGE
    contents = np.isfinite(sharp) & (variances > FAINT * variances.max(initial=0))
    if not contents.any():
        return 0, 0
    sharp = sharp[contents]
    usual = max(float(np.percentile(sharp, 75)), 2 * BLURRED)
    return len(sharp), int(np.count_nonzero(sharp < usual / 2))


def _averaged(plane: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the mean of the square around each pixel; beyond the border the image is mirrored.

    The numbers are scipy.ndimage's, which takes longer to load than it takes to measure a small image.
    """
    for axis in (0, 1):
        around = np.pad(plane, [(side // 2 * (axis == one), (side - 1) // 2 * (axis == one)) for one in (0, 1)],
                        mode="symmetric")  # fmt: skip
        windows = sliding_window_view(around, side, axis)
        total = windows[..., 0].astype(np.float64)
        for place in range(1, side):
            total += windows[..., place]
        plane = (total / side).astype(np.float32)
    return plane


def _difference(plane: NDArray[np.float32], distance: int) -> float:
    """Return the mean square of the differences of pixels that are so far apart, along both axes."""
    down = plane[distance:] - plane[:-distance]
    across = plane[:, distance:] - plane[:, :-distance]
    return (_mean_square(down) + _mean_square(across)) / 2


def _mean_square(differences: NDArray[np.float32]) -> float:
    return float(np.mean(np.square(differences, dtype=np.float64)))
