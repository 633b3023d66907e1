"""No wait for a cluster is without a bound: what was lost on the way is found out, or the run ends and says so."""

import signal
import time

import pytest
from distributed import Client

from cellscale.engines.dask import bounded_calls, connection, worker_tasks
from cellscale.engines.dask.connection import WorkerPool
from cellscale.engines.dask.image_steps import ImageWork, Step
from cellscale.engines.dask.worker_tasks import Job
from cellscale.errors import RequestError
from cellscale.pipeline.events import ignore
from cellscale.pipeline.segmenting.shares import SharePlan
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.engines.dask.clusters import processes
from tests.engines.dask.conftest import SMALL
from tests.pipeline.spots import write_dataset
from tests.requests import request_for


@pytest.fixture
def job(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path / "dataset", small=SMALL["small0"])
    return Job(request_for(workspace_paths(dataset), model_path=str(tiny_model)), "run")


@pytest.fixture
def planning(job):
    """The first step of an image's work."""
    (entry,) = discover(job.request.paths)
    return Step(ImageWork(entry, 1, 1, ignore), worker_tasks.plan)


@pytest.fixture
def told():
    return []


@pytest.fixture
def quick(monkeypatch):
    """Lose patience soon."""
    monkeypatch.setattr(bounded_calls, "ANSWER_SECONDS", 0.5)
    for name, seconds in {"LOOK": 0.1, "QUIET": 0.3, "RESULT": 5, "CLOSE": 2, "PATIENCE": 2}.items():
        monkeypatch.setattr(connection, f"{name}_SECONDS", seconds)


def deaf(client):
    """Lose all that the scheduler tells of tasks that have ended."""
    client._stream_handlers["key-in-memory"] = lambda **facts: None
    return client


def test_news_that_were_lost_on_the_way_are_missed_and_the_task_is_done_again(
    cluster, job, planning, told, quick, monkeypatch
):
    monkeypatch.setattr(connection, "PATIENCE_SECONDS", 60)
    clients = iter([deaf(Client(cluster)), Client(cluster)])
    giving = WorkerPool(lambda: next(clients), job, told.append)
    try:
        giving.submit(planning)
        step, plan = giving.next()
    finally:
        giving.close()
    assert step is planning
    assert isinstance(plan, SharePlan)
    assert plan.missing_blocks
    assert told == ["the connection to the Dask scheduler is lost; the run goes on as soon as it is back"]


@pytest.mark.slow
def test_a_scheduler_that_hangs_ends_the_run_after_a_while(tmp_path, job, planning, told, quick):
    with processes(tmp_path / "logs") as hanging:
        hanging.start(workers=0)
        giving = WorkerPool(lambda: Client(hanging.address, timeout=30), job, told.append)
        try:
            giving.submit(planning)
            hanging.signal(signal.SIGSTOP)
            start = time.monotonic()
            with pytest.raises(RequestError, match=r"the Dask scheduler has been away .* run the same command again"):
                giving.next()
        finally:
            giving.close()
        assert time.monotonic() - start < 60
    assert "the Dask scheduler does not answer; the run goes on as soon as it does" in told
