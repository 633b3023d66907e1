"""What is wrong with one image, one worker or the request, and who is told."""

import json
import shutil

import numpy as np
import pytest

from cellscale.engines.dask.cluster import require_fit
from cellscale.engines.dask.tasks import Job
from cellscale.errors import RequestError
from cellscale.pipeline.request import Request
from cellscale.workspace.layout import workspace_paths
from tests.cli.runs import finished, run
from tests.engines.dask.conftest import SMALL
from tests.pipeline.spots import write_dataset, write_image


@pytest.fixture
def request_for(tiny_model):
    def make(dataset, **facts):
        return Request(paths=workspace_paths(dataset), model_path=str(tiny_model), engine="dask", **facts)

    return make


@pytest.mark.slow
def test_an_image_that_kills_its_workers_fails_and_the_others_are_done(tmp_path, dask_run):
    dataset = write_dataset(tmp_path, poison=SMALL["small0"], **SMALL)
    done = dask_run(dataset)
    assert done.exit_code == 1
    statuses = dict(done.statuses)
    assert statuses.pop("poison") == "failed"
    # "kept" where the result was lost with a worker and the task done again.
    assert statuses.keys() == SMALL.keys()
    assert set(statuses.values()) <= {"done", "kept"}
    assert "2 Dask workers in a row died while they worked on it" in done.errors["poison"]
    assert all(finished(dataset, image) for image in SMALL)


def test_an_image_that_cannot_be_read_fails_as_it_does_on_one_machine(tmp_path, tiny_model, dask_run, small_shares):
    dataset = write_dataset(tmp_path, good=SMALL["small0"])
    write_image(dataset / "OMETIFF" / "blue.ome.tiff", SMALL["small1"], channels=("Blue", "Red"))
    planes = SMALL["small2"].astype(np.float32)
    planes[0, 5, 5] = np.nan
    write_image(dataset / "OMETIFF" / "nan.ome.tiff", planes)
    here = dask_run(dataset)
    there = run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset)
    assert here.statuses == {"blue": "failed", "good": "done", "nan": "failed"}
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
        killed.setattr("cellscale.engines.dask.engine.list_in_project", lambda request, places: None)
        dask_run(dataset)
    assert not (dataset / "PROJ" / "project.qpproj").exists()
    assert set(dask_run(dataset).statuses.values()) == {"kept"}
    project = json.loads((dataset / "PROJ" / "project.qpproj").read_bytes())
    assert [(entry["entryID"], entry["imageName"]) for entry in project["images"]] == [
        (1, "small0.ome.tiff"),
        (2, "small1.ome.tiff"),
    ]


def test_workers_of_another_version_are_refused(tmp_path, client, request_for):
    job = Job(request_for(write_dataset(tmp_path, small=SMALL["small0"])), version="0.0.1")
    with pytest.raises(RequestError, match=r"worker tcp://\S+ has .*: expected cellscale 0\.0\.1"):
        require_fit(client, job)


def test_workers_that_do_not_see_the_dataset_are_refused(tmp_path, client, request_for):
    with pytest.raises(RequestError, match=r"worker tcp://\S+ cannot take part: .*does not see the folder .*missing"):
        require_fit(client, Job(request_for(tmp_path / "missing")))


def test_workers_without_the_network_are_refused(tmp_path, client, request_for):
    dataset = write_dataset(tmp_path, small=SMALL["small0"])
    request = Request(paths=workspace_paths(dataset), model_path=str(tmp_path / "none.onnx"))
    with pytest.raises(RequestError, match=r"cannot take part: there is no model file at \S+none\.onnx"):
        require_fit(client, Job(request))


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
