import numpy as np
import pytest

from cellscale.records import shipped_rates
from cellscale.records.benchmark_table.archive import add_records
from cellscale.records.machine import this_machine
from tests.cli.runs import run
from tests.pipeline.spots import write_dataset
from tests.planning.made_up import made_up_rows


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Leave the records of whoever runs the tests alone."""
    monkeypatch.setattr(shipped_rates, "user_data_path", lambda *_, **__: tmp_path / "user")


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", **{name: np.zeros((2, 600, 500), np.uint16) for name in "abc"})


def facts(shown):
    return dict(line.split("\t", 1) for line in shown.stdout.splitlines())


def test_an_estimate_says_what_a_run_takes_and_how_sure_it_is(dataset):
    found = facts(run("estimate", dataset))
    assert found["images"].startswith("3; 0.9 Mpx")
    assert found["rates"].startswith("those that cellscale ships with")
    assert set(found) >= {"tiles", "machines", "chosen", "time", "memory", "disk", "outputs", "cost"}
    assert " to " in found["time"]
    assert " to " in found["memory"]


def test_one_s_own_records_replace_the_shipped_ones(dataset):
    here = {"cpu": this_machine().cpu, "cores": this_machine().cores}
    add_records(dataset / "jobs" / "benchmarks", "made-up", [row | here for row in made_up_rows()])
    assert "your own" in facts(run("estimate", dataset))["rates"]


def test_records_of_the_network_count_and_where_there_are_none_that_is_said(dataset):
    said = run("estimate", dataset, "--model", "instanseg")
    assert "no records of instanseg" in said.stderr
    assert facts(said)["rates"].startswith("those that cellscale ships with")
    here = {"cpu": this_machine().cpu, "cores": this_machine().cores, "network": "instanseg"}
    add_records(dataset / "jobs" / "benchmarks", "made-up", [row | here for row in made_up_rows()])
    known = run("estimate", dataset, "--model", "instanseg")
    assert "your own" in facts(known)["rates"]
    assert known.stderr == ""
    assert facts(run("estimate", dataset))["rates"].startswith("those that cellscale ships with")


def test_the_image_filter_and_the_size_of_pixels_count(dataset):
    assert facts(run("estimate", dataset, "--image_filter", "a"))["images"].startswith("1; 0.3 Mpx")
    assert facts(run("estimate", dataset, "--image_mpp", "1"))["images"].startswith("3; 3.6 Mpx")


def test_own_machines_may_be_others_and_several(dataset):
    found = facts(run("estimate", dataset, "--engine", "dask", "--machine", "64x256GB", "--machines", "3"))
    assert found["machines"].startswith("3, 64 cores each; 128.0 GB")


def test_for_batch_kinds_of_machines_are_compared_and_one_is_chosen(dataset):
    lines = run("estimate", dataset, "--engine", "batch").stdout.splitlines()
    rows = [line.split("\t") for line in lines if ":SPOT" in line]
    assert len(rows) > 5
    assert lines[-2].startswith(f"chosen\t{rows[0][0]}, 3 at once")


def test_a_named_rented_machine_is_the_only_one(dataset):
    machine = "n2-standard-16:STANDARD"
    lines = run("estimate", dataset, "--engine", "batch", "--machine", machine).stdout.splitlines()
    assert sum(line.startswith(machine) for line in lines) == 1


def test_images_that_cannot_be_opened_are_named(dataset):
    (dataset / "OMETIFF" / "d.ome.tiff").write_bytes(b"no image")
    found = run("estimate", dataset)
    assert found.exit_code == 0
    assert "d: is left out" in found.stderr


def test_a_dataset_without_images_is_refused(tmp_path):
    run("estimate", tmp_path).explains("there is no folder", "OME-TIFF")


def test_nothing_is_written(dataset):
    before = sorted(dataset.rglob("*"))
    run("estimate", dataset)
    assert sorted(dataset.rglob("*")) == before


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("batch", ["--workers", 2]),
        ("batch", ["--batch_size", 4]),
        ("batch", ["--max_memory", "3GB"]),
        ("local", ["--measuring_machine", "n1-standard-8"]),
        ("dask", ["--measuring_machine", "n1-standard-8"]),
    ],
)
def test_options_that_would_change_nothing_are_refused(dataset, engine, words):
    refused = run("estimate", dataset, "--engine", engine, *words)
    refused.explains(f"{words[0]} has no meaning with --engine {engine}", "leave it out")


def test_records_that_are_nowhere_are_said(dataset, tmp_path):
    done = run("estimate", "--records", tmp_path / "nowhere", dataset)
    assert done.exit_code == 0
    assert f"--records {tmp_path / 'nowhere'}: no records of runs" in done.stderr
