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
    short = [-size % ratio for size in plane.shape]
    whole = np.pad(plane, [(0, count) for count in short], mode="edge") if any(short) else plane
    exact = plane.dtype.kind in "ui" and plane.dtype.itemsize <= 2
    rows = _summed(whole, ratio, np.dtype(np.int64 if exact and ratio > 128 else np.int32 if exact else np.float64))
    total = _summed(rows.T, ratio, rows.dtype).T
    if exact:
        return ((total + ratio * ratio // 2) // (ratio * ratio)).astype(plane.dtype)
    return (total / (ratio * ratio)).astype(plane.dtype)


def _summed(plane: NDArray[Any], ratio: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the sums of every ``ratio`` rows."""
    total = plane[::ratio].astype(dtype)
    for row in range(1, ratio):
        total += plane[row::ratio]
    return total


def nearest_reduced(plane: NDArray[Any], ratio: int) -> NDArray[Any]:
    """Return every ``ratio``-th pixel of every ``ratio``-th row: no label that was not there."""
    return plane[::ratio, ::ratio]


def fitted(plane: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Return a plane cut, or its edge repeated, to a shape that differs by rounding."""
    cut = plane[: shape[0], : shape[1]]
    short = [wanted - size for wanted, size in zip(shape, cut.shape, strict=True)]
    return np.pad(cut, [(0, count) for count in short], mode="edge") if any(short) else cut
