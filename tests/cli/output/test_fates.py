"""The closing words name what was made, kept, removed and left, and nothing that is not there."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cellscale.cli.output.fates import fate_lines
from cellscale.pipeline.outcome import ImageOutcome, OutputFate, RunOutcome
from tests.cli.runs import OUTPUTS, run
from tests.pipeline.spots import spots, write_dataset, write_image

ALL = {output.format("image") for output in OUTPUTS}
ENTRY = {
    f"PROJ/data/1/{name}"
    for name in ("cellscale.json", "data.qpdata", "server.json", "summary.json", "thumbnail.jpg")
}


@pytest.fixture(scope="module")
def made_once(tiny_model, tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("fates") / "data", image=spots((120, 140), seed=6))
    return folder, words(tiny_model, folder, "--export", "anndata")


@pytest.fixture
def dataset(made_once, tmp_path):
    return shutil.copytree(made_once[0], tmp_path / "data")


def words(model, dataset, *options, command="segment-and-measure"):
    return run(command, "--no_report", "--model_path", model, *options, "workspace", dataset)


def fates(done, dataset):
    """Return the paths below the dataset by what became of them, and check that they are there, or are not."""
    found = {}
    for line in done.stdout.splitlines():
        fate, _, place = line.partition(": ")
        if fate in {"made", "made again", "kept", "removed", "left as a person's"}:
            assert Path(place).exists() == (fate != "removed"), line
            found.setdefault(fate, set()).add(str(Path(place).relative_to(dataset)))
    return found


def test_a_first_run_made_all_that_is_there(made_once):
    dataset, done = made_once
    assert fates(done, dataset) == {"made": ALL | ENTRY | {"REPORTS/image_QUANT.h5ad"}}


def test_a_second_run_kept_all_of_it(tiny_model, dataset):
    done = words(tiny_model, dataset, "--export", "anndata")
    kept = fates(done, dataset)["kept"]
    assert kept - ENTRY == ALL | {"REPORTS/image_QUANT.h5ad"}


def test_what_is_not_asked_for_any_more_is_named_as_removed(tiny_model, dataset):
    found = fates(words(tiny_model, dataset), dataset)
    assert found["removed"] == {"REPORTS/image_QUANT.h5ad"}
    assert {name for name in found["kept"] if "Mask" in name} == {name for name in ALL if "Mask" in name}
    assert {name for name in ALL if "Mask" not in name} <= found["made again"]


def test_what_a_person_changed_is_named_as_left(tiny_model, dataset):
    (dataset / "REPORTS" / "image_QUANT.tsv").write_text("a person's")
    found = fates(words(tiny_model, dataset, "--export", "anndata"), dataset)
    assert found["left as a person's"] == {"REPORTS/image_QUANT.tsv"}


def test_what_a_failing_image_would_have_made_is_not_named(tiny_model, dataset):
    write_image(dataset / "OMETIFF" / "image.ome.tiff", np.zeros((2, 20, 20), np.uint16), mpp=1000.0)
    done = words(tiny_model, dataset)
    assert done.exit_code == 1
    assert fates(done, dataset) == {}


def test_a_project_that_was_not_made_is_not_named(tiny_model, tmp_path):
    folder = tmp_path / "data" / "NPZ_INTERMEDIATE"
    folder.mkdir(parents=True)
    np.savez(folder / "image.npz", input_channels=np.moveaxis(spots((120, 140)), 0, 2))
    done = words(tiny_model, tmp_path / "data")
    assert done.exit_code == 0
    assert f"masks: {tmp_path / 'data' / 'SEGMASK'}" in done.stdout
    assert "QuPath project" not in done.stdout


def test_of_very_many_files_the_folders_are_named_but_all_that_a_person_has_to_know():
    kept = [OutputFate(f"/data/SEGMASK/{number}.tiff", "kept") for number in range(1500)]
    removed = [OutputFate(f"/data/REPORTS/{number}.h5ad", "removed") for number in range(100)]
    outcome = RunOutcome((ImageOutcome(image="image", status="kept", fates=(*kept, *removed)),))
    assert list(fate_lines(outcome)) == [
        "kept: 1,500 files in /data/SEGMASK",
        *(f"removed: /data/REPORTS/{number}.h5ad" for number in range(100)),
    ]


def test_of_very_many_folders_the_one_above_is_named() -> None:
    places = [
        *(f"/data/PROJ/data/{number}/{name}" for number in range(505) for name in ("data.qpdata", "server.json")),
        *(f"/data/SEGMASK/{number}.tiff" for number in range(505)),
        *(f"/data/REPORTS/{number}.tsv" for number in range(505)),
    ]
    fates = tuple(OutputFate(place, "made") for place in places)
    outcome = RunOutcome(images=(ImageOutcome(image="image", status="done", fates=fates),))
    assert list(fate_lines(outcome)) == [
        "made: 1,010 files in 505 folders of /data/PROJ/data",
        "made: 505 files in /data/SEGMASK",
        "made: 505 files in /data/REPORTS",
    ]
