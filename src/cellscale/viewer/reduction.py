"""Making planes smaller: means for intensities, the nearest pixel for labels."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reduce", "fitted", "mean_reduced", "nearest_reduced"]

Reduce: TypeAlias = Callable[[NDArray[Any], int], NDArray[Any]]
"""Makes a plane (rows, columns) smaller by a whole ratio; sizes are rounded up."""


def mean_reduced(plane: NDArray[Any], ratio: int) -> NDArray[Any]:
    """Return the means of squares of ``ratio`` pixels a side, in the same dtype; an incomplete edge is repeated."""
    if ratio == 1:
        return plane
    whole = np.pad(plane, [(0, -size % ratio) for size in plane.shape], mode="edge")
    exact = plane.dtype.kind in "ui" and plane.dtype.itemsize <= 2
    total = np.zeros((whole.shape[0] // ratio, whole.shape[1] // ratio), np.int64 if exact else np.float64)
    for row in range(ratio):
        for column in range(ratio):
            total += whole[row::ratio, column::ratio]
    if exact:
        return ((total + ratio * ratio // 2) // (ratio * ratio)).astype(plane.dtype)
    return (total / (ratio * ratio)).astype(plane.dtype)


def nearest_reduced(plane: NDArray[Any], ratio: int) -> NDArray[Any]:
    """Return every ``ratio``-th pixel of every ``ratio``-th row: no label that was not there."""
    return plane[::ratio, ::ratio]


def fitted(plane: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Return a plane cut, or its edge repeated, to a shape that differs by rounding."""
    cut = plane[: shape[0], : shape[1]]
    return np.pad(cut, [(0, wanted - size) for wanted, size in zip(shape, cut.shape, strict=True)], mode="edge")
