"""What of an image is tissue, told from glass by its brightness at a low resolution."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["tissue_mask", "triangle_threshold"]

_SMOOTHING = 1.0
"""Sigma of the Gaussian over the logarithms, in squares."""
_MARGIN = 2
"""Squares around tissue that are taken with it, besides those that the smoothing takes."""
_BINS = 256


def tissue_mask(means: NDArray[np.float32], factor: float = 1.0) -> NDArray[np.bool_]:
    """Tell tissue from glass.

    Parameters
    ----------
    means
        Mean brightness of squares of some 16 µm, a plane for each channel, ``(channels, rows, columns)``.
    factor
        Of the brightness above the darkest square at which tissue begins: below 1 more becomes tissue.

    Returns
    -------
    Which squares are tissue, with some around it and its holes; ``(rows, columns)``, none where all are alike.

    Notes
    -----
    In each channel the threshold is that of the triangle method (Zack, Rogers and Latt, 1977) over logarithms, which
    takes dim tissue for tissue; a square above that of any channel is tissue.
    """
    from scipy import ndimage  # a tenth of a second, of every run otherwise

    found = np.zeros(means.shape[1:], np.bool_)
    for plane in means:
        above = np.log1p(plane - plane.min())
        smooth = ndimage.gaussian_filter(above.astype(np.float64), _SMOOTHING)
        if not smooth.max() > smooth.min():
            continue
        threshold = np.expm1(triangle_threshold(smooth)) * factor
        found |= smooth > np.log1p(threshold)
    filled = ndimage.binary_fill_holes(found)
    grown: NDArray[np.bool_] = ndimage.binary_dilation(filled, np.ones((3, 3), np.bool_), _MARGIN)
    return grown


def triangle_threshold(values: NDArray[np.float64]) -> float:
    """Return where the long tail of a histogram begins.

    Parameters
    ----------
    values
        Any shape; not all may be equal.

    Returns
    -------
    The middle of the bin, of 256, that lies farthest below the line from the histogram's peak to its farther end.

    Notes
    -----
    Zack, Rogers and Latt, Automatic measurement of sister chromatid exchange frequency, J. Histochem. Cytochem. 25,
    1977. The bin is that of ``skimage.filters.threshold_triangle``.
    """
    counts, edges = np.histogram(values, _BINS)
    peak = int(counts.argmax())
    bins = np.arange(_BINS) if peak >= _BINS - 1 - peak else np.arange(_BINS)[::-1]  # the farther end comes first
    tail = bins[: int(np.flatnonzero(bins == peak)[0])]
    # The line rises by the peak's count over the tail; this is how far it lies above a bin, but for a factor.
    below = float(counts[peak]) * np.arange(len(tail)) - float(len(tail)) * counts[tail]
    farthest = int(tail[below.argmax()])
    return float((edges[farthest] + edges[farthest + 1]) / 2)
