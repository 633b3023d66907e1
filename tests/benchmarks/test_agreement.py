"""Agreement of two label images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from benchmarks import agreement as module
from benchmarks.agreement import Agreement, agreement, matched_pixel_share
from cellscale.errors import MaskError, RequestError

LABELS = arrays(np.int32, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 5))


def squares(*corners: tuple[int, int], side: int = 4, shape: tuple[int, int] = (20, 20)) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    for label, (top, left) in enumerate(corners, start=1):
        labels[top : top + side, left : left + side] = label
    return labels


def brute_force_hits(truth: np.ndarray, found: np.ndarray, iou: float) -> int:
    hits = 0
    for t in set(truth[truth > 0]):
        for f in set(found[found > 0]):
            both, either = (truth == t) & (found == f), (truth == t) | (found == f)
            hits += both.sum() > iou * either.sum()
    return hits


def test_equal_images_agree_whatever_their_numbers():
    truth = squares((0, 0), (4, 4), (10, 10))
    found = np.array([0, 70, 3, 9], np.uint16)[truth]
    assert agreement(truth, found, iou=1.0) == Agreement(3, 0, 0)
    assert matched_pixel_share(truth, found) == 1.0


def test_counts_follow_the_threshold():
    truth = squares((0, 0), (10, 10), (0, 10))
    found = squares((0, 1), (10, 10), (16, 0))
    loose, strict = agreement(truth, found, iou=0.5), agreement(truth, found, iou=0.7)
    assert loose == Agreement(true_positives=2, false_positives=1, false_negatives=1)
    assert strict == Agreement(true_positives=1, false_positives=2, false_negatives=2)
    assert loose.precision == pytest.approx(2 / 3)
    assert loose.recall == pytest.approx(2 / 3)
    assert loose.f1 == pytest.approx(2 / 3)


def test_a_match_may_just_reach_the_threshold():
    truth, found = squares((0, 0)), squares((0, 0))
    found[0:2] = 0
    assert agreement(truth, found, iou=0.5).true_positives == 1


def test_two_halves_match_one_object_once():
    truth, found = squares((0, 0)), squares((0, 0))
    found[2:4, 0:4] = 2
    assert agreement(truth, found, iou=0.5) == Agreement(1, 1, 0)
    assert matched_pixel_share(truth, found) == 1 - 8 / 400


def test_below_half_the_best_overlap_wins():
    truth = np.array([[1, 1, 1, 1, 1, 2, 2, 0]])
    found = np.array([[3, 3, 3, 4, 4, 4, 4, 0]])
    assert agreement(truth, found, iou=0.3) == Agreement(2, 0, 0)
    assert matched_pixel_share(truth, found) == 6 / 8


def test_empty_images_agree():
    nothing = np.zeros((3, 3), np.int32)
    assert agreement(nothing, nothing).f1 == 1.0
    assert matched_pixel_share(nothing, nothing) == 1.0
    assert agreement(nothing, squares((0, 0), side=1, shape=(3, 3))) == Agreement(0, 1, 0)
    assert matched_pixel_share(np.zeros((0, 3), int), np.zeros((0, 3), int)) == 1.0


@given(st.data(), LABELS, st.sampled_from([0.5, 0.6, 0.75, 0.9]))
def test_matches_equal_a_brute_force_search(data, truth, iou):
    found = data.draw(arrays(np.uint8, truth.shape, elements=st.integers(0, 4)))
    found = np.where(data.draw(arrays(np.bool_, truth.shape)), truth, found)
    result = agreement(truth, found, iou=np.nextafter(iou, 1))
    assert result.true_positives == brute_force_hits(truth, found, iou)
    assert result.true_positives + result.false_negatives == np.unique(truth[truth > 0]).size
    assert result.true_positives + result.false_positives == np.unique(found[found > 0]).size


@given(LABELS, LABELS)
def test_shares_do_not_depend_on_the_order_of_the_images(first, second):
    if first.shape != second.shape:
        second = np.resize(second, first.shape)
    assert agreement(first, second).f1 == agreement(second, first).f1
    assert 0 <= matched_pixel_share(first, second) <= 1


@given(LABELS)
def test_counting_in_parts_changes_nothing(labels):
    other = np.roll(labels, 1, axis=0)
    whole = agreement(labels, other), matched_pixel_share(labels, other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIXELS_AT_ONCE", 1)
        assert (agreement(labels, other), matched_pixel_share(labels, other)) == whole


def test_images_that_cannot_be_compared_are_refused():
    labels = squares((0, 0))
    with pytest.raises(MaskError, match=r"shapes \(20, 20\) and \(20, 19\)"):
        agreement(labels, labels[:, :19])
    with pytest.raises(MaskError, match="float64"):
        agreement(labels, labels.astype(float))
    with pytest.raises(MaskError, match="-1"):
        matched_pixel_share(labels - 1, labels)
    with pytest.raises(RequestError, match="intersection over union"):
        agreement(labels, labels, iou=0)
