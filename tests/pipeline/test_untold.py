"""What a killed run did is told by the next one, as if nobody had stopped it."""

import shutil
from dataclasses import replace

import pytest

from cellscale.engines import end_of_run
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.untold import clear_told, continued, keep_untold, untold
from cellscale.records.benchmark_table import read_folder
from cellscale.records.stage_cost import StageRecord
from cellscale.report.image_record import record_from_json
from tests.cli.runs import contents, run
from tests.pipeline.spots import spots, write_dataset

IMAGES = ("first", "second")
STAGES = ("preprocessing", "prediction", "postprocessing", "measurement")


class Killed(BaseException):
    """Ends a run as a power cut would."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    planes = {name: spots((120, 140), seed=seed) for seed, name in enumerate(IMAGES)}
    return write_dataset(tmp_path_factory.mktemp("untold") / "data", **planes)


@pytest.fixture
def copy(dataset, tmp_path):
    return shutil.copytree(dataset, tmp_path / "data")


def words(model, dataset):
    return run("segment-and-measure", "--model_path", model, "workspace", dataset)


def told(dataset):
    """Return what rows and reports tell, but times and memory."""
    rows = {}
    for row in read_folder(dataset / "jobs" / "benchmarks"):
        assert row["input_file_id"] not in rows, "an image has one row"
        rows[row["input_file_id"]] = {
            "success": row["success"],
            "cells": row["cells"],
            "stages": [stage for stage in STAGES if row[f"{stage}_time_s"] is not None],
            "network": row["network"],
            "device": row["device"],
        }
    reports = {}
    for name in IMAGES:
        record = record_from_json((dataset / "jobs" / "report" / f"{name}.run.json").read_bytes())
        stages = {stage.stage for stage in record.stages}
        reports[name] = (record.status, stages, record.warnings, record.notes, record.cells, bool(record.seconds))
    return rows, reports


@pytest.fixture(scope="module")
def expected(dataset, tiny_model, tmp_path_factory):
    copy = shutil.copytree(dataset, tmp_path_factory.mktemp("expected") / "data")
    assert words(tiny_model, copy).exit_code == 0
    return told(copy)


def killed(monkeypatch, model, dataset, where, name, wrapped):
    with monkeypatch.context() as patch:
        patch.setattr(where, name, wrapped)
        with pytest.raises(Killed):
            words(model, dataset)


def at_stage(stage, image):
    """Return a way of beginning stages that ends the run at one of them."""
    begin = ImageRun.stage

    def stopped(self, name, *rest, **settings):
        if (name, self.image) == (stage, image):
            raise Killed
        return begin(self, name, *rest, **settings)

    return stopped


@pytest.mark.parametrize(("stage", "image"), [("masks", "first"), ("tables", "second"), ("numbering", "second")])
def test_steps_of_a_run_that_was_killed_are_told(tiny_model, copy, expected, monkeypatch, stage, image):
    killed(monkeypatch, tiny_model, copy, ImageRun, "stage", at_stage(stage, image))
    done = words(tiny_model, copy)
    assert done.exit_code == 0
    assert told(copy) == expected
    assert not (copy / "jobs" / "untold").exists()


@pytest.mark.parametrize("step", ["_record", "_report", "_clear"])
def test_a_run_that_was_killed_at_its_end_is_told_once(tiny_model, copy, expected, monkeypatch, step):
    def end(closing):
        raise Killed

    steps = tuple((name, end if work.__name__ == step else work) for name, work in end_of_run._STEPS)
    where = (end_of_run, "_clear", end) if step == "_clear" else (end_of_run, "_STEPS", steps)
    killed(monkeypatch, tiny_model, copy, *where)
    assert set(words(tiny_model, copy).statuses.values()) == {"kept"}
    assert told(copy) == expected
    before = contents(copy)
    assert words(tiny_model, copy).exit_code == 0
    assert contents(copy) == before


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"mark": "mark"}', b"\xff"])
def test_damage_is_as_nothing(tmp_path, damage):
    keep_untold(tmp_path, "mark", ImageOutcome(image="image", status="waiting"))
    assert untold(tmp_path, "image", "mark") is not None
    assert untold(tmp_path, "image", "other") is None
    (tmp_path / "untold" / "image.json").write_bytes(damage)
    assert untold(tmp_path, "image", "mark") is None
    clear_told(tmp_path, ["image"])
    assert not list(tmp_path.iterdir())


def test_a_stage_that_was_gone_on_with_costs_both_and_one_that_was_begun_again_the_last():
    def outcome(*stages, **facts):
        return ImageOutcome(image="image", stages=stages, **{"status": "waiting", **facts})

    first = StageRecord("labels", 4.0, 7, 6, 3.0)
    earlier = outcome(first, StageRecord("numbering", 1.0, 5, 2, 0.0), seconds=5.0, warnings=("old",))
    on = StageRecord("labels", 2.0, 9, 3, 1.0, earlier_units=6)
    again = StageRecord("numbering", 0.5, 4, 2, 0.0)
    joined = continued(earlier, outcome(on, again, status="done", seconds=3.0, warnings=("new",)))
    assert joined.stages == (replace(first, seconds=6.0, peak_memory=9, units=9, busy_seconds=4.0), again)
    assert (joined.seconds, joined.warnings, joined.status, joined.untold) == (8.0, ("old", "new"), "done", True)
