"""Objects of two masks are matched, split and merged as the pixels say, whatever parts the masks are read in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellscale.regions import Region, blocks
from cellscale.report.comparison.matched_objects import match_objects
from cellscale.report.comparison.overlaps import count_overlaps


def matched(first, second, step=None, workers=1):
    first, second = np.asarray(first, np.int32), np.asarray(second, np.int32)
    regions = list(blocks(first.shape, step or first.shape))
    return match_objects(count_overlaps(lambda at: first[at.slices], lambda at: second[at.slices], regions, workers))


def boxes(*regions, shape=(20, 40)):
    labels = np.zeros(shape, np.int32)
    for label, region in enumerate(regions, 1):
        labels[region.slices] = label
    return labels


A = Region(0, 0, 10, 10)
HALVES = Region(0, 0, 10, 6), Region(0, 6, 10, 10)


def test_the_same_mask_is_all_alike():
    labels = boxes(A, Region(12, 20, 18, 30))
    found = matched(labels, labels * 7)
    assert found.ious.tolist() == [1, 1]
    assert (found.f1(0.5), found.f1(0.95), found.splits, found.merges) == (1, 1, 0, 0)
    assert found.first.areas.tolist() == [100, 60]
    assert found.second.labels.tolist() == [7, 14]
    assert (found.first.rows[1], found.first.columns[1]) == (14.5, 24.5)


def test_a_split_is_one_object_over_two_and_a_merge_the_other_way_round():
    found = matched(boxes(A), boxes(*HALVES))
    assert (found.splits, found.merges) == (1, 0)
    assert found.ious.tolist() == [0.6]
    assert (found.f1(0.5), found.f1(0.65)) == (2 / 3, 0)
    back = matched(boxes(*HALVES), boxes(A))
    assert (back.splits, back.merges) == (0, 1)
    assert back.second.matched.tolist() == [True]
    assert back.first.matched.tolist() == [True, False]


def test_of_two_exact_halves_one_is_the_partner():
    found = matched(boxes(A), boxes(Region(0, 0, 10, 5), Region(0, 5, 10, 10)))
    assert found.pairs.tolist() == [[0, 0]]
    assert found.f1(0.5) == 2 / 3


def test_masks_without_objects():
    nothing = np.zeros((5, 5), np.int32)
    assert matched(nothing, nothing).f1(0.5) == 1
    found = matched(nothing, boxes(Region(0, 0, 2, 2), shape=(5, 5)))
    assert (found.f1(0.5), found.second.matched.tolist()) == (0, [False])


def test_labels_up_to_the_highest():
    found = matched(np.full((3, 3), 2**31 - 1), np.full((3, 3), 2**31 - 2))
    assert (found.first.labels.tolist(), found.second.labels.tolist()) == ([2**31 - 1], [2**31 - 2])
    assert found.ious.tolist() == [1]


LABELS = arrays(np.int32, (9, 11), elements=st.integers(0, 4))


@settings(max_examples=40)
@given(LABELS, LABELS, st.integers(1, 9), st.integers(1, 11), st.sampled_from([1, 3]))
def test_parts_and_threads_change_nothing_and_all_is_as_counted_by_hand(first, second, rows, columns, workers):
    whole, parts = matched(first, second), matched(first, second, (rows, columns), workers)
    for name in ("labels", "areas", "rows", "columns", "matched"):
        for side in ("first", "second"):
            assert np.array_equal(getattr(getattr(whole, side), name), getattr(getattr(parts, side), name))
    assert np.array_equal(whole.pairs, parts.pairs)
    assert (whole.splits, whole.merges) == (parts.splits, parts.merges)
    expected = {}
    for one in np.unique(first[first > 0]):
        for other in np.unique(second[second > 0]):
            iou = np.sum((first == one) & (second == other)) / np.sum((first == one) | (second == other))
            if iou > 0.5:
                expected[one, other] = iou
    found = {
        (whole.first.labels[one], whole.second.labels[other]): iou
        for (one, other), iou in zip(whole.pairs, whole.ious, strict=True)
    }
    assert {pair: iou for pair, iou in found.items() if iou > 0.5} == pytest.approx(expected)
    assert len({one for one, _ in found}) == len({other for _, other in found}) == len(found)
