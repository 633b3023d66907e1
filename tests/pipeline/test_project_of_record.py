"""The project has of each image what its record says: what is lost is made, what is another image's is not kept."""

import json
import shutil

import pytest

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset

IMAGES = {"alpha": spots((150, 160), seed=1), "beta": spots((150, 160), seed=2)}


@pytest.fixture(scope="module")
def made_once(tiny_model, tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("made") / "data", **IMAGES)
    assert made(tiny_model, folder).exit_code == 0
    return folder


@pytest.fixture
def dataset(made_once, tmp_path):
    return shutil.copytree(made_once, tmp_path / "data")


def made(model, dataset, *options, command="segment-and-measure"):
    return run(command, "--no_report", "--model_path", model, *options, "workspace", dataset)


def listed(dataset):
    project = json.loads((dataset / "PROJ" / "project.qpproj").read_text(encoding="utf-8"))
    return {entry["entryID"]: entry["serverBuilder"]["uri"] for entry in project["images"]}


def uris(dataset):
    return {number: f"file:{dataset}/OMETIFF/{name}.ome.tiff" for number, name in enumerate(sorted(IMAGES), 1)}


def test_a_lost_project_file_comes_back_with_all_images_under_their_numbers(tiny_model, dataset):
    (dataset / "PROJ" / "project.qpproj").unlink()
    done = made(tiny_model, dataset, "--image_filter", "beta")
    assert done.exit_code == 0
    assert listed(dataset) == {2: uris(dataset)[2]}
    assert made(tiny_model, dataset).statuses == {"alpha": "kept", "beta": "kept"}
    assert listed(dataset) == uris(dataset)


@pytest.mark.parametrize("content", [b"", b'{"version": "0.7.0", "ima'])
def test_a_project_file_that_is_cut_is_named_and_not_replaced(tiny_model, dataset, content):
    project = dataset / "PROJ" / "project.qpproj"
    project.write_bytes(content)
    done = made(tiny_model, dataset)
    assert done.exit_code == 1
    assert str(project) in done.errors["alpha"]
    assert project.read_bytes() == content


@pytest.mark.parametrize("name", ["data.qpdata", "server.json", "summary.json", "thumbnail.jpg"])
@pytest.mark.parametrize("damage", ["removed", "cut", "of another image"])
def test_files_of_an_entry_that_are_damaged_or_anothers_are_made_again(tiny_model, dataset, name, damage):
    made(tiny_model, dataset, "--overwrite", command="measure")  # as of this place
    place, other = (dataset / "PROJ" / "data" / number / name for number in "12")
    whole = place.read_bytes()
    if damage == "removed":
        place.unlink()
    elif damage == "cut":
        place.write_bytes(whole[: len(whole) // 2])
    elif name != "thumbnail.jpg":
        place.write_bytes(other.read_bytes())
    done = made(tiny_model, dataset)
    assert done.exit_code == 0
    assert place.read_bytes() == whole
    if damage == "cut":
        assert str(place) in done.stderr
    assert made(tiny_model, dataset).statuses == {"alpha": "kept", "beta": "kept"}


@pytest.mark.parametrize("damage", ["removed", "cut", "of another image"])
def test_what_is_remembered_of_an_entry_is_made_again_and_nothing_counts_as_a_persons(tiny_model, dataset, damage):
    made(tiny_model, dataset, "--overwrite", command="measure")  # as of this place
    place, other = (dataset / "PROJ" / "data" / number / "cellscale.json" for number in "12")
    objects = place.with_name("data.qpdata").read_bytes()
    if damage == "removed":
        place.unlink()
    elif damage == "cut":
        place.write_bytes(place.read_bytes()[:100])
    else:
        place.write_bytes(other.read_bytes())
    assert made(tiny_model, dataset).statuses == {"alpha": "done", "beta": "kept"}
    assert json.loads(place.read_bytes())["written"]
    assert made(tiny_model, dataset, "--qupath_version", "0.5").exit_code == 0
    assert place.with_name("data.qpdata").read_bytes() != objects
    assert not list(place.parent.glob("*.edited-*"))


def test_objects_that_a_person_saved_are_kept_by_a_run_that_has_nothing_to_do(tiny_model, dataset):
    place = dataset / "PROJ" / "data" / "1" / "data.qpdata"
    saved = place.read_bytes().replace(b"FLUORESCENCE", b"Fluorescence")
    assert saved != place.read_bytes()
    place.write_bytes(saved)
    done = made(tiny_model, dataset)
    assert done.statuses == {"alpha": "kept", "beta": "kept"}
    assert place.read_bytes() == saved
    assert f"left as a person's: {place}" in done.stdout.splitlines()
    assert f"kept: 4 files in {place.parent}\n" in done.stdout


def test_objects_of_which_a_part_never_reached_the_disk_are_made_again_and_what_is_left_is_kept(tiny_model, dataset):
    made(tiny_model, dataset, "--overwrite", command="measure")  # as of this place
    place = dataset / "PROJ" / "data" / "1" / "data.qpdata"
    whole = place.read_bytes()
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes(middle - 100) + whole[-(len(whole) - 2 * middle + 100) :]
    place.write_bytes(damaged)
    done = made(tiny_model, dataset)
    assert f"{place} is damaged" in done.stderr
    assert place.read_bytes() == whole
    (kept,) = place.parent.glob("data.qpdata.edited-*")
    assert kept.read_bytes() == damaged


@pytest.mark.parametrize("words", [("measure", "--overwrite"), ("segment-and-measure",)])
def test_the_project_of_a_copy_shows_the_copys_own_images(tiny_model, dataset, tmp_path, words):
    copy = shutil.copytree(dataset, tmp_path / "copy")
    assert listed(copy) != uris(copy)
    assert made(tiny_model, copy, *words[1:], command=words[0]).exit_code == 0
    assert listed(copy) == uris(copy)
