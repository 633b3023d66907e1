"""Taking the edges of objects away, so that none touches another."""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Labels

__all__ = ["eroded"]


def eroded(labels: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    """Return labels without those pixels from which ``width`` steps reach a pixel that is not of the same object.

    A step goes up, down, left or right. Beyond the array there is nothing to be reached: its edge is as the image's.

    Parameters
    ----------
    labels
        int32, objects above 0; not changed.
    width
        Pixels; 0 or more.

    Returns
    -------
    int32, 0 where a pixel was taken away, else as ``labels``.
    """
    result = labels.copy()
    before = np.empty_like(result)
    for _ in range(width):
        before[...] = result
        _take_edges(before, result)
    return result


@kernel
def _take_edges(labels: Labels, result: Labels) -> None:
    """Write 0 for each pixel of an object beside a pixel that is not the object's."""
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label > 0 and (
                (row > 0 and labels[row - 1, column] != label)
                or (row + 1 < height and labels[row + 1, column] != label)
                or (column > 0 and labels[row, column - 1] != label)
                or (column + 1 < width and labels[row, column + 1] != label)
            ):
                result[row, column] = 0
