"""Stages announce and measure their work."""

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
