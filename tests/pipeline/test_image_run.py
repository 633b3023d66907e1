"""Stages announce and measure their work."""

import psutil
import pytest

from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Advanced, Notice, StageFinished, StageStarted
from cellscale.pipeline.image_run import ImageRun


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


@pytest.mark.skipif(not psutil.LINUX, reason="other C libraries give memory back by themselves")
@pytest.mark.parametrize(("side", "is_small"), [(0, False), (512, True), (4096, False)])
def test_free_memory_of_all_but_small_images_is_given_back(side, is_small):
    run = ImageRun("image", lambda event: None, Budget(1, 1))
    run.learn(height=side, width=side)
    kept = [bytes(1000) for _ in range(200_000)]
    every_tenth = kept[::10]
    del kept
    before = psutil.Process().memory_info().rss
    run.give_back()
    freed = before - psutil.Process().memory_info().rss
    assert len(every_tenth) == 20_000
    assert (freed < 20_000_000) is is_small
