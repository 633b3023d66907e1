"""What is wrong with one image, one worker or the request, and who is told."""

import json
import shutil
import time
from dataclasses import replace

import dask
import numpy as np
import pytest

from cellscale.engines.dask import image_steps, worker_tasks
from cellscale.engines.dask.cluster import connection, require_fit
from cellscale.engines.dask.dask_engine import run as run_dask
from cellscale.engines.dask.worker_tasks import Job
from cellscale.engines.engine_request import DaskOptions
from cellscale.errors import RequestError
from cellscale.pipeline.events import ignore
from cellscale.pipeline.request import Outputs, Resources
from cellscale.workspace.claim import Claim
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests import requests
from tests.cli.runs import finished, run
from tests.engines.dask.clusters import kill_one
from tests.engines.dask.conftest import SMALL
from tests.patience import HANGS, wait_for
from tests.pipeline.spots import write_dataset, write_image


@pytest.fixture
def request_for(tiny_model):
    def make(dataset, **facts):
        return requests.request_for(workspace_paths(dataset), model_path=str(tiny_model), **facts)

    return make


@pytest.mark.slow
def test_an_image_that_kills_its_workers_fails_and_the_others_are_done(tmp_path, dask_run):
    dataset = write_dataset(tmp_path, poison=SMALL["small0"], **SMALL)
    done = dask_run(dataset)
    assert done.exit_code == 1
    statuses = dict(done.statuses)
    assert statuses.pop("poison") == "failed"
    # "done" also where the result was lost with a worker and the task was done again.
    assert statuses == dict.fromkeys(SMALL, "done")
    assert "2 Dask workers in a row died while they worked on it" in done.errors["poison"]
    assert all(finished(dataset, image) for image in SMALL)


def test_a_task_that_a_run_does_again_tells_of_the_image_as_if_it_had_made_it_then(tmp_path, client, request_for):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    request = request_for(dataset, visualize=True)
    (entry,) = discover(request.paths)

    def finished_by(run):
        Claim(request.paths.jobs, run).announce()
        return client.submit(worker_tasks.finish, Job(request, run), entry, 0, True, pure=False).result(timeout=HANGS)

    first, again, later = finished_by("one"), finished_by("one"), finished_by("another")
    assert [found.outcome.status for found in (first, again, later)] == ["done", "done", "kept"]
    assert again.outcome.cells == first.outcome.cells > 0
    assert again.outcome.nuclei == first.outcome.nuclei > 0
    assert again.outcome.unmatched_nuclei == first.outcome.unmatched_nuclei is not None
    assert again.outcome.outputs == first.outcome.outputs
    assert again.places == first.places != ()


def test_pictures_that_a_run_added_are_its_own_when_it_comes_again(tmp_path, client, request_for):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    request = request_for(dataset)
    (entry,) = discover(request.paths)
    statuses = []
    for name, visualize in [("one", False), ("two", True), ("two", True), ("three", True)]:
        job = Job(replace(request, outputs=Outputs(visualize=visualize)), name)
        Claim(request.paths.jobs, name).announce()
        future = client.submit(worker_tasks.finish, job, entry, 0, True, pure=False)
        statuses.append(future.result(timeout=HANGS).outcome.status)
    assert statuses == ["done", "done", "done", "kept"]


@pytest.mark.parametrize("shares", ["one task", "shared out"])
def test_exceptions_that_dask_cannot_carry_fail_their_images_and_no_others(
    tmp_path, cluster, request_for, monkeypatch, shares
):
    if shares == "shared out":
        monkeypatch.setattr(image_steps, "WHOLE", 0)
    images = ("deep", "unpicklable", "untellable", "panic", "small")
    dataset = write_dataset(tmp_path, **dict.fromkeys(images, SMALL["small0"]))
    outcome = run_dask(request_for(dataset, report=False), ignore, DaskOptions(scheduler=cluster.scheduler_address))
    assert {image.image: image.status for image in outcome.images} == dict.fromkeys(images[:-1], "failed") | {
        "small": "done"
    }
    assert {image.image: image.error.partition(": this is an error of cellscale")[0] for image in outcome.failed} == {
        "deep": "unexpected error: RecursionError: 1000 calls deep",
        "unpicklable": "unexpected error: UnpicklableError: not to be sent",
        "untellable": "unexpected error: UntellableError: it does not say what",
        "panic": "unexpected error: Panic: no exception of the usual kind",
    }


def test_an_image_that_cannot_be_read_fails_as_it_does_on_one_machine_and_first(
    tmp_path, tiny_model, dask_run, small_shares
):
    dataset = write_dataset(tmp_path, good=SMALL["small0"])
    write_image(dataset / "OMETIFF" / "yellow.ome.tiff", SMALL["small1"], channels=("Blue", "Red"))
    planes = SMALL["small2"].astype(np.float32)
    planes[0, 5, 5] = np.nan
    write_image(dataset / "OMETIFF" / "nan.ome.tiff", planes)
    here = dask_run(dataset, "--log_file", tmp_path / "log")
    there = run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset)
    assert here.statuses == {"good": "done", "nan": "failed", "yellow": "failed"}
    told = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert next(event["image"] for event in told if event["event"] == "ImageStarted") == "yellow"
    assert here.errors == there.errors
    assert here.exit_code == there.exit_code == 1


def test_a_dry_run_leaves_nothing_behind(tmp_path, dask_run):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    assert dask_run(dataset, "--dry_run").statuses == {"small": "planned"}
    assert [path.name for path in dataset.iterdir()] == ["OMETIFF"]


def test_masks_alone_and_then_tables_alone(tmp_path, by_local_engine, dask_run):
    dataset = tmp_path / "dataset"
    shutil.copytree(by_local_engine / "OMETIFF", dataset / "OMETIFF")
    assert dask_run(dataset, "--image_filter", "small0", command="segment").statuses == {"small0": "done"}
    assert not list(dataset.glob("REPORTS/*.tsv"))
    assert dask_run(dataset, "--image_filter", "small0", command="measure").statuses == {"small0": "done"}
    table = "REPORTS/small0_QUANT.tsv"
    assert (dataset / table).read_bytes() == (by_local_engine / table).read_bytes()


def test_a_run_killed_before_its_end_leaves_objects_that_the_next_one_enters_into_the_project(
    tmp_path, dask_run, monkeypatch
):
    dataset = write_dataset(tmp_path, small0=SMALL["small0"], small1=SMALL["small1"])
    with monkeypatch.context() as killed:
        killed.setattr("cellscale.engines.dask.dask_engine.list_in_project", lambda paths, measuring, places: None)
        dask_run(dataset)
    assert not (dataset / "PROJ" / "project.qpproj").exists()
    assert set(dask_run(dataset).statuses.values()) == {"kept"}
    project = json.loads((dataset / "PROJ" / "project.qpproj").read_bytes())
    assert [(entry["entryID"], entry["imageName"]) for entry in project["images"]] == [
        (1, "small0.ome.tiff"),
        (2, "small1.ome.tiff"),
    ]


def test_workers_of_another_version_are_refused(tmp_path, client, request_for):
    job = Job(request_for(write_dataset(tmp_path, small=SMALL["small0"])), "run", version="0.0.1")
    with pytest.raises(RequestError, match=r"worker tcp://\S+ has .*: expected cellscale 0\.0\.1"):
        require_fit(client, job)


def test_workers_that_do_not_see_the_dataset_are_refused(tmp_path, client, request_for):
    with pytest.raises(RequestError, match=r"worker tcp://\S+ cannot take part: .*does not see the folder .*missing"):
        require_fit(client, Job(request_for(tmp_path / "missing"), "run"))


def test_workers_without_the_network_are_refused(tmp_path, client, request_for):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    request = requests.request_for(workspace_paths(dataset), model_path=str(tmp_path / "none.onnx"))
    with pytest.raises(RequestError, match=r"cannot take part: there is no model file at \S+none\.onnx"):
        require_fit(client, Job(request, "run"))


def test_a_scheduler_that_does_not_answer_is_named(tmp_path, tiny_model, monkeypatch):
    monkeypatch.setattr("cellscale.engines.dask.cluster.CONNECT_SECONDS", 0.5)
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    words = ("--model_path", tiny_model, "--dask_scheduler", "tcp://127.0.0.1:1", "workspace", dataset)
    run("segment", *words).explains("no Dask scheduler at tcp://127.0.0.1:1", "--dask_scheduler")


@pytest.mark.parametrize("option", ["--dask_workers", "--dask_scheduler"])
def test_options_of_a_cluster_mean_nothing_to_the_local_engine(tmp_path, option):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    run("segment", "--engine", "local", option, "2", "workspace", dataset).explains(option, "--engine dask")


def test_more_processes_than_memory_allows_are_refused(tmp_path, tiny_model):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    words = ("--dask_workers", "3", "--max_memory", "3GB", "--model_path", tiny_model, "workspace", dataset)
    run("segment", *words).explains("3 Dask workers", "--dask_workers", "--max_memory")


@pytest.mark.slow
def test_processes_of_this_machine_do_the_work_where_no_scheduler_is_named(tmp_path, tiny_model, by_local_engine):
    dataset = write_dataset(tmp_path, small0=SMALL["small0"])
    words = ("--dask_workers", "1", "--workers", "1", "--model_path", tiny_model, "workspace", dataset)
    assert run("segment-and-measure", *words).statuses == {"small0": "done"}
    table = "REPORTS/small0_QUANT.tsv"
    assert (dataset / table).read_bytes() == (by_local_engine / table).read_bytes()


@pytest.mark.slow
def test_a_process_of_this_machine_that_dies_is_replaced_however_long_that_takes():
    options, resources = DaskOptions(workers=1), Resources(workers=1)
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "0.1s"}),
        connection(options, resources) as connect,
    ):
        client = connect()
        try:
            watching = client.run(lambda: dask.config.get("distributed.worker.profile.enabled"))
            assert list(watching.values()) == [False]
            address = kill_one(client)
            wait_for(lambda: address not in client.nthreads())
            time.sleep(0.5)
            client.wait_for_workers(1, timeout=HANGS)
        finally:
            client.close()


@pytest.mark.parametrize("option", [("--dask_workers", "2"), ("--workers", "2"), ("--max_memory", "4GB")])
def test_a_cluster_that_is_there_has_limits_of_its_own(tmp_path, option):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    words = ("--dask_scheduler", "tcp://127.0.0.1:1", *option, "workspace", dataset)
    run("measure", *words).explains(option[0], "--dask_scheduler")


def test_more_processes_than_threads_are_refused(tmp_path):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    run("measure", "--dask_workers", "3", "--workers", "2", "workspace", dataset).explains("--dask_workers", "2")
