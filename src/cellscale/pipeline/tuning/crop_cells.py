"""The cells of a crop: counted, measured, and compared with those of before."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.heads import Compartment
from cellscale.regions import Region

__all__ = ["Change", "CropCells", "changed", "touched_labels"]

_COUNTED = 2**25
"""Pairs of labels for which there is a counter each; more are sorted, which takes longer."""


@dataclass(frozen=True, slots=True)
class Change:
    """How objects differ from those of before."""

    same: int
    """Objects that have the very pixels of one of before."""
    changed: int
    """Objects that share pixels with some of before."""
    new: int
    gone: int
    """Those of before that share no pixel with any of now."""


@dataclass(frozen=True, slots=True)
class CropCells:
    """The cells whose centre is in a crop, as a run over the whole image finds them."""

    crop: Region
    """In pixels of the image."""
    shown: Region
    """The crop with what is around it, so that cells at its border are whole."""
    labels: Mapping[Compartment, NDArray[np.int32]]
    """Labels 1 to n in ``shown``, 0 for background."""
    mpp: float | None
    """µm/px, where they are known; of the square of the same area where pixels are not square."""

    def areas(self, compartment: Compartment) -> NDArray[np.int64]:
        """Return the pixels of each object, in the order of their labels."""
        counts = np.bincount(self.labels[compartment].ravel())[1:]
        return counts[counts > 0]

    def change_from(self, before: "CropCells", compartment: Compartment) -> Change:
        """Return how the objects of a compartment differ from those of the same crop before."""
        return changed(before.labels[compartment], self.labels[compartment])


def changed(before: NDArray[np.int32], now: NDArray[np.int32]) -> Change:
    """Compare the objects of one area.

    Parameters
    ----------
    before, now
        Labels of the same pixels.
    """
    earlier, later, is_same = _met(before, now)
    meet = (earlier > 0) & (later > 0)
    same = int(is_same.sum())
    met = int(np.unique(later[meet]).size)
    there_now = int(np.unique(later[later > 0]).size)
    gone = np.setdiff1d(earlier[earlier > 0], earlier[meet]).size
    return Change(same, met - same, there_now - met, int(gone))


def touched_labels(before: NDArray[np.int32], now: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the labels of ``now`` whose objects are new or have other pixels than before, ascending."""
    _, later, is_same = _met(before, now)
    return np.setdiff1d(later[later > 0], later[is_same])


def _met(
    before: NDArray[np.int32], now: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the pairs of labels, 0 included, that pixels have before and now, and which are the same object."""
    width = int(now.max(initial=0)) + 1
    pairs = before.ravel().astype(np.int64) * width + now.ravel()
    if (int(before.max(initial=0)) + 1) * width <= _COUNTED:
        counts = np.bincount(pairs)
        codes = np.flatnonzero(counts)
        pixels = counts[codes]
    else:
        codes, pixels = np.unique(pairs, return_counts=True)
    earlier, later = np.divmod(codes, width)
    sizes_before = np.bincount(earlier, pixels)
    sizes_now = np.bincount(later, pixels)
    meet = (earlier > 0) & (later > 0)
    return earlier, later, meet & (pixels == sizes_before[earlier]) & (pixels == sizes_now[later])
