"""Which tasks an image needs, one after another, and what becomes of it."""

import pytest
from distributed.scheduler import KilledWorker

from cellscale.engines.dask import worker_tasks
from cellscale.engines.dask.failure import described
from cellscale.engines.dask.image_steps import ImageWork
from cellscale.errors import ImageError, RequestError
from cellscale.pipeline.events import Advanced, ImageStarted, StageFinished, StageStarted
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.segmenting.shares import SharePlan
from cellscale.records.stage_cost import StageRecord
from cellscale.workspace.discovery import ImageEntry

GROUPS = tuple((0, column) for column in range(10))
LARGE = SharePlan(groups=12, blocks=9, missing_groups=GROUPS, missing_blocks=tuple(range(9)))
FINISHED = worker_tasks.Finished(ImageOutcome(image="image", status="done", peak_memory=5), ())


@pytest.fixture
def events():
    return []


@pytest.fixture
def work(events):
    return ImageWork(ImageEntry(name="image", image="image.ome.tiff"), 3, 7, events.append)


def record(stage, units, peak=1):
    return (StageRecord(stage, 1.0, peak, units, 0.5),)


def functions(steps):
    return [step.function for step in steps]


def planned(work, plan):
    (step,) = work.begin()
    assert step.function is worker_tasks.plan
    return work.after(step, plan)


def test_a_small_image_is_one_task(work):
    (last,) = planned(work, SharePlan(groups=1, blocks=1, missing_groups=((0, 0),), missing_blocks=(0,)))
    assert (last.function, last.arguments) == (worker_tasks.finish, (2, True))
    assert work.after(last, FINISHED) == ()
    assert work.outcome.status == "done"


def test_a_large_image_is_prepared_predicted_labelled_and_finished(work, events):
    (step,) = planned(work, LARGE)
    assert step.function is worker_tasks.prepare
    predictions = work.after(step, record("statistics", 4))
    assert [step.arguments for step in predictions] == [(GROUPS[:4],), (GROUPS[4:8],), (GROUPS[8:],)]
    for step in predictions[:-1]:
        assert work.after(step, record("network", 4)) == ()
    labels = work.after(predictions[-1], record("network", 2, peak=9))
    assert [step.arguments for step in labels] == [(tuple(range(8)),), ((8,),)]
    assert work.after(labels[1], record("labels", 2)) == ()
    (last,) = work.after(labels[0], record("labels", 16))
    assert (last.function, last.arguments) == (worker_tasks.finish, (2, False))
    work.after(last, FINISHED)
    assert work.outcome.peak_memory == 9
    stages = {found.stage: (found.units, found.earlier_units) for found in work.outcome.stages}
    assert stages == {"statistics": (4, 0), "network": (10, 2), "labels": (18, 0)}
    assert events[0] == ImageStarted("image", 3, 7)
    assert StageStarted("image", "network", 12, 2) in events
    assert sum(event.units for event in events if isinstance(event, Advanced) and event.stage == "network") == 10
    started = [event.stage for event in events if isinstance(event, StageStarted)]
    assert started == [event.record.stage for event in events if isinstance(event, StageFinished)]


def test_only_what_earlier_runs_left_is_shared_out(work):
    (step,) = planned(work, SharePlan(groups=12, blocks=9, missing_groups=(), missing_blocks=tuple(range(9))))
    assert set(functions(work.after(step, ()))) == {worker_tasks.label}


@pytest.mark.parametrize("error", [ImageError("NaN"), ValueError("unexpected")])
def test_a_task_that_fails_leaves_the_rest_to_the_last_one(work, error):
    (step,) = planned(work, LARGE)
    predictions = work.after(step, ())
    (last,) = work.after(predictions[0], described(error))
    assert last.function is worker_tasks.finish
    assert not work.needs(predictions[1])
    assert work.after(predictions[1], record("network", 4)) == ()
    work.after(last, FINISHED)
    assert work.outcome.status == "done"


def test_a_last_task_that_fails_unexpectedly_ends_the_work(work):
    (last,) = planned(work, SharePlan())
    assert work.after(last, described(ValueError("odd"))) == ()
    assert work.outcome.error.startswith("unexpected error: ValueError: odd: this is an error of cellscale")


def test_what_is_wrong_with_the_request_ends_the_run(work):
    (step,) = work.begin()
    with pytest.raises(RequestError, match="too little"):
        work.after(step, described(RequestError("too little")))


def test_work_that_killed_workers_goes_on_where_it_stopped(work):
    (step,) = planned(work, LARGE)
    first, second, third = work.after(step, ())
    work.after(second, record("network", 4))
    assert work.after(first, KilledWorker("key", None, 1)) == ()
    assert work.killed is not None
    assert not work.needs(third)
    assert work.begin() == (first, third)
    assert work.killed is None


def test_costs_are_kept_as_the_work_is_done_and_those_of_an_earlier_run_are_told_with_them(work):
    earlier = ImageOutcome(image="image", status="waiting", seconds=100.0, stages=record("range", 1))
    kept = []
    work.keep, work.recall = kept.append, lambda: earlier
    (last,) = planned(work, SharePlan())
    assert kept == []
    outcome = ImageOutcome(image="image", status="done", stages=record("measurement", 1))
    work.after(last, worker_tasks.Finished(outcome, ()))
    assert [stage.stage for stage in work.outcome.stages] == ["range", "measurement"]
    assert work.outcome.untold
    assert work.outcome.seconds > 100.0
    assert kept == [work.outcome]
