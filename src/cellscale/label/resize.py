"""Back to the original pixels, where the image was rescaled for the network."""

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region

__all__ = ["nearest_rows_columns", "nearest_source"]


def nearest_rows_columns(
    region: Region, shape: tuple[int, int], source_shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which rows and columns of a source a region of the resized image takes, by nearest neighbour.

    The pixels are those of ``skimage.transform.resize`` with order 0.

    Parameters
    ----------
    region
        Region of the resized image.
    shape
        Rows and columns of the resized image.
    source_shape
        Rows and columns of the source.

    Returns
    -------
    The source row of each of the region's rows, and the source column of each of its columns; ascending.
    """
    rows = _nearest(region.top, region.bottom, shape[0], source_shape[0])
    columns = _nearest(region.left, region.right, shape[1], source_shape[1])
    return rows, columns


def nearest_source(region: Region, shape: tuple[int, int], source_shape: tuple[int, int]) -> Region:
    """Return the smallest region of the source that holds all pixels which ``region`` takes from it."""
    rows, columns = nearest_rows_columns(region, shape, source_shape)
    return Region(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _nearest(start: int, stop: int, length: int, source_length: int) -> NDArray[np.int64]:
    # One rounding after another as in scipy's C code, whose results are wanted to the bit: pixel centres are scaled,
    # shifted back by half a pixel, and then rounded half up.
    positions = (np.arange(start, stop, dtype=np.float64) + 0.5) * (source_length / length) - 0.5
    return np.clip(np.floor(positions + 0.5).astype(np.int64), 0, source_length - 1)
