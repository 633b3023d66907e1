"""Images, folders and channels may have any name that the disk allows."""

import csv
import gzip
import json
import os
import sys

import pytest

from tests.cli.runs import contents, finished, run
from tests.pipeline.spots import spots, write_image

PLANES = spots((60, 80))
NAMES = [
    "with  two spaces",
    "up..down",
    "-dash",
    "--overwrite",
    "hash#1?query=2&x;y",
    "100%25 %20 %s {0} $HOME",
    'it\'s "quoted" `so`',
    "größe µm 組織 🔬",
    "cafe\u0301",
    "[bold]red",
    "a.b.ome",
    "back\\slash",
    "star*",
    "comma, semicolon; pipe|",
    "CON",
    "x" * 200,
]


def tables(dataset, name):
    with (dataset / "REPORTS" / f"{name}_QUANT.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names") / "data set #1 & größe %20 'x'"
    for name in NAMES:
        write_image(folder / "OMETIFF" / f"{name}.ome.tiff", PLANES)
    return folder


@pytest.fixture(scope="module")
def done(dataset, tiny_model):
    return run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset)


@pytest.mark.slow
def test_all_are_done(done):
    assert done.exit_code == 0, done.stderr
    assert done.statuses == dict.fromkeys(sorted(NAMES), "done")


@pytest.mark.parametrize("name", NAMES)
def test_an_image_of_any_name_gets_all_outputs(dataset, done, name):
    assert finished(dataset, name)
    rows = tables(dataset, name)
    assert len(rows) == 6
    assert {row["Image"] for row in rows} == {f"{name}.ome.tiff"}
    with gzip.open(dataset / "SEGMASK" / f"{name}_Cells.geojson.gz", "rt", encoding="utf-8") as file:
        assert len(json.load(file)["features"]) == 6


def test_nothing_is_written_elsewhere(dataset, done):
    assert {path.name for path in dataset.parent.iterdir()} == {dataset.name}
    assert {path.name for path in dataset.iterdir()} == {"OMETIFF", "SEGMASK", "REPORTS", "PROJ", "jobs"}
    assert all(any(file.name.startswith(name) for name in NAMES) for file in (dataset / "SEGMASK").iterdir())


def test_the_project_lists_them_all(dataset, done):
    project = json.loads((dataset / "PROJ" / "project.qpproj").read_text(encoding="utf-8"))
    assert sorted(image["imageName"] for image in project["images"]) == sorted(f"{name}.ome.tiff" for name in NAMES)


def test_a_second_run_finds_them_all(dataset, done, tiny_model):
    again = run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset)
    assert again.statuses == dict.fromkeys(sorted(NAMES), "kept")


def test_an_image_whose_outputs_would_have_too_long_names_fails_alone(tmp_path, tiny_model):
    long = "x" * 245
    for image in (long, "zzz"):
        write_image(tmp_path / "OMETIFF" / f"{image}.ome.tiff", PLANES)
    done = run("segment-and-measure", "--model_path", tiny_model, "workspace", tmp_path)
    assert done.exit_code == 1
    assert "the name is too long for this disk: shorten it" in done.errors[long]
    assert done.statuses["zzz"] == "done"


@pytest.mark.parametrize("name", ["-dash", "[bold]red", "100%25", "組織"])
def test_a_filter_may_have_any_letters(tmp_path, tiny_model, name):
    for image in (name, "other"):
        write_image(tmp_path / "OMETIFF" / f"{image}.ome.tiff", PLANES)
    done = run("segment", "--model_path", tiny_model, "--image_filter", name, "workspace", tmp_path)
    assert done.statuses == {name: "done"}


@pytest.mark.parametrize("folder", ["-leading dash", "..", "größe #1 %41"])
def test_a_dataset_may_be_given_relative_to_any_folder(tmp_path, tiny_model, monkeypatch, folder):
    (tmp_path / "here" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "inner")
    write_image(tmp_path / "here" / "inner" / folder / "OMETIFF" / "a.ome.tiff", PLANES)
    done = run("segment", "--model_path", tiny_model, "workspace", "--", folder)
    assert done.statuses == {"a": "done"}
    assert len(contents(tmp_path / "here" / "inner" / folder / "SEGMASK")) == 2


def test_channels_may_have_any_names(tmp_path, tiny_model):
    names = ['DAPI #1, "x"', "µ-Mem<brane> & 'y'"]
    write_image(tmp_path / "OMETIFF" / "a.ome.tiff", PLANES, names)
    options = ["--nuclear_channel", '"DAPI #1, ""x"""', "--membrane_channel", "µ-mem"]
    done = run("segment-and-measure", "--model_path", tiny_model, *options, "workspace", tmp_path)
    assert done.exit_code == 0, done.stderr
    columns = tables(tmp_path, "a")[0]
    assert {f"Cell: {name}: Mean" for name in names} <= set(columns)


def test_a_channel_name_with_a_tab_or_a_line_break_breaks_no_table(tmp_path, tiny_model):
    write_image(tmp_path / "OMETIFF" / "a.ome.tiff", PLANES, ["DAPI", "two\tcolumns"])
    done = run("segment-and-measure", "--model_path", tiny_model, "workspace", tmp_path)
    assert done.exit_code == 0, done.stderr
    rows = tables(tmp_path, "a")
    assert rows
    assert all(None not in row and None not in row.values() for row in rows)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("command", ["segment-and-measure", "measure"])
def test_a_name_that_is_not_utf8_fails_alone_and_costs_the_others_no_report(tmp_path, tiny_model, command):
    folder = tmp_path / "OMETIFF"
    for name in ("good", "other"):
        write_image(folder / f"{name}.ome.tiff", PLANES)
    if command == "measure":
        assert run("segment", "--model_path", tiny_model, "workspace", tmp_path).exit_code == 0
    write_image(folder / "x.ome.tiff", PLANES).rename(folder / os.fsdecode(b"pr\xe4p.ome.tiff"))
    model = ["--model_path", tiny_model] if command != "measure" else []
    done = run(command, *model, "workspace", tmp_path)
    assert done.exit_code == 1
    assert done.statuses == {"good": "done", r"pr\udce4p": "failed", "other": "done"}
    assert "is not UTF-8" in done.errors[r"pr\udce4p"]
    assert "warning: " not in done.stderr
    assert r"pr\udce4p" in (tmp_path / "REPORTS" / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "REPORTS" / "other_report.html").is_file()
    shown = run("benchmark", "show", tmp_path)
    assert shown.exit_code == 0
