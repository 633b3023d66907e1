"""Stages announce, measure and order their work."""

import threading
import time

import pytest

from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Advanced, Notice, StageFinished, StageStarted
from cellscale.pipeline.image_run import ImageRun, in_order


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    def slow_for_early_items(item):
        time.sleep(0.01 * (5 - item % 6))
        return item * item

    assert list(in_order(slow_for_early_items, range(20), workers)) == [item * item for item in range(20)]


def test_only_a_bounded_number_of_results_waits_for_a_slow_consumer():
    started = []
    for result in in_order(lambda item: started.append(item) or item, range(50), 2):
        time.sleep(0.005)
        assert len(started) <= result + 1 + 4 + 1


def test_an_error_in_one_item_is_raised_and_the_rest_is_not_started():
    started = []
    before = threading.active_count()

    def fail_at_three(item):
        started.append(item)
        if item == 3:
            raise ValueError("three")
        time.sleep(0.01)

    with pytest.raises(ValueError, match="three"):
        list(in_order(fail_at_three, range(1000), 2))
    assert len(started) < 20
    assert threading.active_count() <= before


def test_a_stage_tells_when_it_starts_advances_and_ends():
    events = []
    run = ImageRun("image", events.append, Budget(1, 1))
    with run.stage("label", 2, done=1) as advance:
        advance()
    assert events[:2] == [StageStarted("image", "label", 2, 1), Advanced("image", "label")]
    assert isinstance(events[2], StageFinished)
    assert run.records[0].units == 1
    assert run.records[0].peak_memory > 1_000_000


def test_warnings_are_told_and_kept():
    events = []
    run = ImageRun("image", events.append, Budget(1, 1))
    run.notice("chosen: DAPI")
    run.notice("no pixel size", "warning")
    assert run.warnings == ["no pixel size"]
    assert events == [Notice("image", "info", "chosen: DAPI"), Notice("image", "warning", "no pixel size")]
