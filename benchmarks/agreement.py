"""How well two label images of the same field agree, object by object and pixel by pixel."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import MaskError, RequestError

__all__ = ["Agreement", "agreement", "matched_pixel_share"]

Labels: TypeAlias = NDArray[np.integer[Any]]

PIXELS_AT_ONCE = 1 << 22
"""Pixels whose label pairs are counted together, which bounds the scratch memory to some 100 MB."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Objects found against objects that are there."""

    true_positives: int
    """Objects of the truth that were found."""

    false_positives: int
    """Found objects that match none of the truth."""

    false_negatives: int
    """Objects of the truth that were missed."""

    @property
    def precision(self) -> float:
        """Share of the found objects that are right; 1 where nothing was found."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """Share of the true objects that were found; 1 where there are none."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where both images are empty."""
        wrong = self.false_positives + self.false_negatives
        return _share(2 * self.true_positives, 2 * self.true_positives + wrong)


@dataclass(frozen=True, slots=True)
class _Overlaps:
    """The pairs of labels that share pixels, background included, ordered by first and then second label."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    pixels: NDArray[np.int64]

    def subset(self, chosen: NDArray[Any]) -> "_Overlaps":
        return _Overlaps(self.first[chosen], self.second[chosen], self.pixels[chosen])

    @property
    def objects(self) -> NDArray[np.bool_]:
        """Where neither label is background."""
        return (self.first > 0) & (self.second > 0)


def agreement(truth: Labels, found: Labels, iou: float = 0.5) -> Agreement:
    """Match found objects to true ones and count hits and misses.

    A pair may match when its intersection over union reaches ``iou``; pairs are matched one to one, best first,
    which from an ``iou`` of 0.5 on leaves no choice.

    Parameters
    ----------
    truth, found
        Label images of equal shape, integers from 0, where 0 is background.
    iou
        Least intersection over union of a match, above 0 and at most 1.

    Raises
    ------
    MaskError
        If the images differ in shape, or are no label images.
    RequestError
        If ``iou`` is out of its range.
    """
    if not 0 < iou <= 1:
        raise RequestError(f"the intersection over union is {iou}; give one above 0 and at most 1")
    overlaps = _overlaps(truth, found)
    true_areas, found_areas = _areas(overlaps.first, overlaps.pixels), _areas(overlaps.second, overlaps.pixels)
    pairs = overlaps.subset(overlaps.objects)
    union = true_areas[pairs.first] + found_areas[pairs.second] - pairs.pixels
    ratio = pairs.pixels / union
    close = ratio >= iou
    hits = _one_to_one(pairs.subset(close), ratio[close]).pixels.size
    there, seen = int(np.count_nonzero(true_areas[1:])), int(np.count_nonzero(found_areas[1:]))
    return Agreement(hits, seen - hits, there - hits)


def matched_pixel_share(first: Labels, second: Labels) -> float:
    """Return the share of pixels that are equal once the labels of both images are matched one to one.

    Labels are matched by the pixels they share, most first; background matches background.

    Parameters
    ----------
    first, second
        Label images of equal shape, integers from 0, where 0 is background.

    Returns
    -------
    From 0 to 1; 1 for images without pixels.

    Raises
    ------
    MaskError
        If the images differ in shape, or are no label images.
    """
    overlaps = _overlaps(first, second)
    background = overlaps.pixels[(overlaps.first == 0) & (overlaps.second == 0)].sum()
    pairs = overlaps.subset(overlaps.objects)
    matched = _one_to_one(pairs, pairs.pixels.astype(np.float64)).pixels.sum()
    return _share(int(background + matched), first.size)


def _overlaps(first: Labels, second: Labels) -> _Overlaps:
    """Count the pixels of every pair of labels that meet, a few rows at a time."""
    _require_labels(first, second)
    if first.size == 0:
        nothing = np.empty(0, np.int64)
        return _Overlaps(nothing, nothing, nothing)
    radix = int(second.max()) + 1
    rows = max(PIXELS_AT_ONCE // max(first[0].size, 1), 1)
    parts = [_pairs(first[top : top + rows], second[top : top + rows], radix) for top in range(0, len(first), rows)]
    keys, inverse = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    pixels = np.zeros(keys.size, np.int64)
    np.add.at(pixels, inverse.ravel(), np.concatenate([part[1] for part in parts]))
    return _Overlaps(keys // radix, keys % radix, pixels)


def _pairs(first: Labels, second: Labels, radix: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    keys, pixels = np.unique(first.astype(np.int64) * radix + second, return_counts=True)
    return keys.astype(np.int64), pixels.astype(np.int64)


def _areas(labels: NDArray[np.int64], pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return pixels by label, from 0; sums of pixel counts are exact in the floats that bincount returns."""
    return np.bincount(labels, pixels, minlength=1).astype(np.int64)


def _one_to_one(pairs: _Overlaps, weight: NDArray[np.float64]) -> _Overlaps:
    """Choose pairs by falling weight (then rising labels) so that no label is in two of them."""
    chosen: list[NDArray[np.intp]] = []
    left = np.lexsort((pairs.second, pairs.first, -weight))
    while left.size:
        # A pair that is the best left for both of its labels is what the greedy choice takes sooner or later.
        best = np.intersect1d(_first_of_each(pairs.first[left]), _first_of_each(pairs.second[left]))
        taken = left[best]
        chosen.append(taken)
        used = np.isin(pairs.first[left], pairs.first[taken]) | np.isin(pairs.second[left], pairs.second[taken])
        left = left[~used]
    return pairs.subset(np.concatenate(chosen) if chosen else left)


def _first_of_each(labels: NDArray[np.int64]) -> NDArray[np.intp]:
    return np.unique(labels, return_index=True)[1]


def _require_labels(first: Labels, second: Labels) -> None:
    if first.shape != second.shape:
        raise MaskError(f"the label images have the shapes {first.shape} and {second.shape}; they must be equal")
    for labels in (first, second):
        if labels.dtype.kind not in "iu":
            raise MaskError(f"a label image holds integers, this one {labels.dtype}")
        if labels.size and labels.min() < 0:
            raise MaskError(f"labels are 0 for background or more, this image has {labels.min()}")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
