"""Whatever happens to workers and scheduler, a run ends with the bytes of the local engine."""

import json
import shutil

import pytest
from distributed import Status

from tests.cli.runs import contents, run
from tests.engines.dask.clusters import begin, kill_one, processes
from tests.engines.dask.conftest import LARGE, SMALL
from tests.patience import wait_for
from tests.pipeline.spots import write_dataset

PATIENCE = 200
"""Seconds for a run."""


def results(dataset):
    """Return the outputs, without pages that tell times."""
    found = contents(dataset / "SEGMASK", dataset / "REPORTS", dataset / "PROJ")
    return {name: found[name] for name in found if not name.endswith((".html", "cellscale.json"))}


def masks_and_tables(dataset):
    return {name: content for name, content in results(dataset).items() if "_" in name}


def units(dataset, kind):
    """Return the finished units of a kind of the image that is under way."""
    return list((dataset / "jobs").glob(f"*/{kind}/*.npz"))


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", large=LARGE)


@pytest.fixture
def expected(by_local_engine):
    """What is to come out for the large image."""
    return {name: content for name, content in masks_and_tables(by_local_engine).items() if "large" in name}


@pytest.mark.slow
def test_more_images_than_workers_shared_out_or_whole(by_local_engine, dask_run, small_shares):
    # In the same place, with the same times: these are in the QuPath project.
    dataset = by_local_engine.with_name("dataset")
    shutil.copytree(by_local_engine / "OMETIFF", dataset / "OMETIFF")
    done = dask_run(dataset)
    assert done.statuses == dict.fromkeys(["large", *SMALL], "done")
    here, there = results(dataset), results(by_local_engine)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []
    assert set(dask_run(dataset).statuses.values()) == {"kept"}
    assert not list((dataset / "jobs").glob("large.*"))


@pytest.mark.slow
def test_a_worker_killed_in_the_middle(dataset, expected, client, dask_run, small_shares):
    running = begin(dask_run, dataset)
    wait_for(lambda: units(dataset, "tiles"))
    kill_one(client)
    assert running.result(PATIENCE).statuses == {"large": "done"}
    assert masks_and_tables(dataset) == expected


@pytest.mark.slow
def test_a_paused_worker(dataset, expected, client, dask_run, small_shares):
    def set_status(dask_worker, status):
        dask_worker.status = status

    address = next(iter(client.nthreads()))
    running = begin(dask_run, dataset)
    wait_for(lambda: units(dataset, "tiles"))
    client.run(set_status, status=Status.paused, workers=[address])
    try:
        assert running.result(PATIENCE).statuses == {"large": "done"}
    finally:
        client.run(set_status, status=Status.running, workers=[address])
    assert masks_and_tables(dataset) == expected


@pytest.mark.slow
def test_a_cluster_that_grows_and_shrinks(dataset, expected, cluster, client, dask_run, small_shares):
    cluster.scale(1)
    wait_for(lambda: len(client.nthreads()) == 1)
    running = begin(dask_run, dataset)
    wait_for(lambda: units(dataset, "tiles"))
    cluster.scale(3)
    wait_for(lambda: len(client.nthreads()) == 3 or running.done())
    cluster.scale(2)
    assert running.result(PATIENCE).statuses == {"large": "done"}
    assert masks_and_tables(dataset) == expected


@pytest.mark.slow
def test_a_scheduler_that_is_started_again(tmp_path, dataset, expected, dask_run, small_shares):
    with processes(tmp_path / "logs") as cluster:
        cluster.start(workers=2)
        running = begin(dask_run, dataset, address=cluster.address)
        wait_for(lambda: units(dataset, "tiles") or running.done())
        cluster.kill()
        before = len(units(dataset, "tiles"))
        cluster.start(workers=1)
        done = running.result(PATIENCE)
        assert done.statuses == {"large": "done"}
        assert "the connection to the Dask scheduler is lost" in done.stderr
        assert before > 0
    assert masks_and_tables(dataset) == expected


@pytest.mark.slow
def test_settings_of_some_images_hold_on_every_worker(dataset, dask_run, small_shares, tiny_model):
    write_dataset(dataset, small=SMALL["small0"])
    (dataset / "cellscale.toml").write_text("[image.large]\nwhole_cell_radius = 3\nimage_mpp = 0.6\n")
    assert dask_run(dataset).statuses == {"large": "done", "small": "done"}
    assert len(list((dataset / "jobs").glob("*/settings.toml"))) == 1
    here = run("segment-and-measure", "--model_path", tiny_model, "--dry_run", "workspace", dataset)
    assert here.statuses == {"large": "kept", "small": "kept"}
    (dataset / "cellscale.toml").unlink()
    here = run("segment-and-measure", "--model_path", tiny_model, "--dry_run", "workspace", dataset)
    assert here.statuses == {"large": "planned", "small": "kept"}


@pytest.mark.slow
@pytest.mark.parametrize("part", [False, True])
def test_expanded_and_eroded_cells_of_rescaled_channels_and_of_regions(
    tmp_path, dask_run, tiny_model, small_shares, part
):
    options = ["--expand_cells", "2um", "--label_erosion", "1", "--percentile", "99", "--clahe_kernel", "96"]
    options += ["--membrane_channel", "#1,#2", "--rescale_channels", "zscore", "--combine", "mean"]
    if part:
        square = [[40, 30], [400, 30], [400, 300], [40, 300], [40, 30]]
        regions = tmp_path / "regions.geojson"
        regions.write_text(json.dumps({"type": "Polygon", "coordinates": [square]}), encoding="utf-8")
        options += ["--regions", str(regions), "--tissue", "auto", "--statistics", "regions"]
    here, there = (write_dataset(tmp_path / name, image=SMALL["small3"]) for name in ("here", "there"))
    assert run("segment", "--model_path", tiny_model, *options, "workspace", here).exit_code == 0
    assert dask_run(there, *options, command="segment").statuses == {"image": "done"}
    assert contents(there / "SEGMASK") == contents(here / "SEGMASK")
