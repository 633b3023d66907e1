"""Bring label masks of any kind into the one form that the kernels know: uint32."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import MaskError
from cellscale.regions import Region, RegionReader

__all__ = ["label_reader"]

HIGHEST_LABEL = 2**32 - 1


def label_reader(reader: RegionReader, name: str) -> RegionReader:
    """Return a reader that answers with uint32 labels, or refuses.

    Parameters
    ----------
    reader
        Reader of a mask of any real data type; parts of numbers behind the point are dropped, as QuPath does.
    name
        What to call the mask in messages.

    Raises
    ------
    MaskError
        On reading, if the mask is not two-dimensional or does not fill the region, or if a label is negative, not a
        number, or above 2^32 - 1.
    """

    def read(region: Region) -> NDArray[np.uint32]:
        return _labels(np.asarray(reader(region)), region, name)

    return read


def _labels(array: NDArray[Any], region: Region, name: str) -> NDArray[np.uint32]:
    """Check and convert what a reader answered."""
    if array.shape != region.shape:
        raise MaskError(
            f"the {name} mask gives an array of shape {array.shape} where {region.shape} was expected: a label mask "
            "has one plane, exactly as large as its image; colour (RGB) pictures of labels cannot be used"
        )
    if array.dtype.kind not in "buif":
        raise MaskError(f"the {name} mask has pixels of type {array.dtype}: labels are whole numbers from 0 up")
    if array.dtype == np.int32 and (not array.size or array.min() >= 0):
        return np.ascontiguousarray(array).view(np.uint32)
    if array.dtype.kind in "if" or array.dtype.itemsize > 4:
        low, high = array.min(), array.max()
        # Written so that NaN, which compares as false, is refused.
        if not (low >= 0 and high <= HIGHEST_LABEL):
            raise MaskError(
                f"the {name} mask has values from {low} to {high}: labels are whole numbers from 0 (background) to "
                f"{HIGHEST_LABEL}"
            )
    return np.ascontiguousarray(array, dtype=np.uint32)
