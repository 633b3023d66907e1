import numpy as np
import pytest

from cellscale.records import shipped_rates
from cellscale.records.benchmark_table.archive import add_records
from cellscale.records.machine import this_machine
from tests.cli.runs import run
from tests.pipeline.spots import write_dataset
from tests.planning.made_up import made_up_rows
from tests.predict.seed_network import seed_network


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


def test_networks_of_squares_are_reckoned_in_squares_and_without_cards(dataset, tmp_path):
    (tmp_path / "ours.onnx").write_bytes(seed_network())
    for name in ("instanseg", tmp_path / "ours.onnx"):
        found = facts(run("estimate", dataset, "--model", name))
        assert found["tiles"] == "6 of 512 x 512 pixels at most"
        assert found["chosen"].endswith("workers, a tile at a time")
    assert facts(run("estimate", dataset))["tiles"] == "27 of 256 x 256 pixels at most"


@pytest.mark.parametrize(("network", "is_quicker"), [("instanseg", False), ("mesmer", True)])
def test_cards_are_for_networks_that_run_on_them(dataset, network, is_quicker):
    def hours(machine):
        words = ("--engine", "batch", "--machine", machine, "--model", network, "--image_mpp", "20")
        (row,) = (line for line in run("estimate", dataset, *words).stdout.splitlines() if line.startswith("n1-"))
        return float(row.split("\t")[3])

    alone, helped = map(hours, ("n1-standard-8:SPOT", "n1-standard-8:SPOT+nvidia-tesla-t4:1"))
    assert (helped < 0.8 * alone) == is_quicker


def test_a_network_that_is_nowhere_is_said_and_reckoned_as_mesmer(dataset, tmp_path):
    done = run("estimate", dataset, "--model", tmp_path / "none.onnx")
    assert done.exit_code == 0
    assert "there is no model file at" in done.stderr
    assert facts(done)["tiles"] == "27 of 256 x 256 pixels at most"


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
