"""What is asked for is made, and what is there already is not computed again for it."""

import json
import shutil

import pytest
import zarr

from cellscale.pipeline.segmenting import segment_image
from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset, write_image

MASKS = ("image_WholeCellMask", "image_NucleusMask")


@pytest.fixture(scope="module")
def made_once(tiny_model, tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("asked") / "data", image=spots((120, 140), seed=6))
    assert segmented(tiny_model, folder).exit_code == 0
    return folder


@pytest.fixture
def dataset(made_once, tmp_path):
    return shutil.copytree(made_once, tmp_path / "data")


@pytest.fixture
def no_network(monkeypatch):
    """Segmenting anew fails."""

    def refuse(*words, **settings):
        raise AssertionError("labels that are there are computed again")

    monkeypatch.setattr(segment_image, "segment_channels", refuse)


def segmented(model, dataset, *options, command="segment"):
    return run(command, "--no_report", "--model_path", model, *options, "workspace", dataset)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def record(dataset):
    return json.loads((dataset / "jobs/records/image.json").read_text())


def fresh(model, dataset, folder, *options):
    shutil.copytree(dataset / "OMETIFF", folder / "OMETIFF")
    assert segmented(model, folder, *options).exit_code == 0
    return folder


def test_masks_of_another_format_are_made_of_the_labels_that_are_there(tiny_model, dataset, tmp_path, no_network):
    before = record(dataset)["segmentation"]
    done = segmented(tiny_model, dataset, "--mask_format", "both")
    assert (done.exit_code, done.statuses) == (0, {"image": "done"}), done.stderr
    after = record(dataset)["segmentation"]
    assert {key: after[key] for key in ("objects", "certificates", "parameters", "image", "network")} == {
        key: before[key] for key in ("objects", "certificates", "parameters", "image", "network")
    }
    assert after["outputs"].keys() == {f"{mask}.{suffix}" for mask in MASKS for suffix in ("tiff", "ome.zarr")}
    assert segmented(tiny_model, dataset, "--mask_format", "both").statuses == {"image": "kept"}


def test_masks_that_were_copied_into_another_format_have_the_bytes_of_a_first_run(tiny_model, dataset, tmp_path):
    assert segmented(tiny_model, dataset, "--mask_format", "both").exit_code == 0
    expected = fresh(tiny_model, dataset, tmp_path / "fresh", "--mask_format", "both")
    assert files(dataset / "SEGMASK") == files(expected / "SEGMASK")


def test_labels_of_other_options_are_not_copied(tiny_model, dataset, tmp_path):
    options = ("--mask_format", "both", "--whole_cell_maxima_threshold", "0.3")
    assert segmented(tiny_model, dataset, *options).exit_code == 0
    expected = fresh(tiny_model, dataset, tmp_path / "fresh", *options)
    assert files(dataset / "SEGMASK") == files(expected / "SEGMASK")


@pytest.mark.parametrize("options", [("--compartment", "whole-cell"), ("--combine", "max")])
def test_options_that_change_no_label_keep_the_masks(tiny_model, dataset, no_network, options):
    assert segmented(tiny_model, dataset, *options).statuses == {"image": "kept"}


def test_options_of_one_compartment_keep_the_other_ones_mask(tiny_model, dataset):
    nuclei = dataset / "SEGMASK/image_NucleusMask.tiff"
    before = nuclei.stat()
    assert segmented(tiny_model, dataset, "--whole_cell_maxima_threshold", "0.3").statuses == {"image": "done"}
    assert nuclei.stat().st_ino == before.st_ino
    assert set(record(dataset)["segmentation"]["objects"]) == {"whole-cell", "nuclear"}
    assert run("verify", dataset).exit_code == 0


def test_intermediates_that_are_asked_for_are_made_where_the_masks_are_kept(tiny_model, dataset):
    before = files(dataset / "SEGMASK")
    assert segmented(tiny_model, dataset, "--keep_intermediates").statuses == {"image": "done"}
    folder = dataset / "jobs/intermediates/image.zarr"
    assert zarr.open_group(folder, mode="r")["maps"].shape == (4, 120, 140)
    assert files(dataset / "SEGMASK") == before
    assert segmented(tiny_model, dataset, "--keep_intermediates").statuses == {"image": "kept"}
    shutil.rmtree(folder / "maps")
    done = segmented(tiny_model, dataset, "--keep_intermediates")
    assert str(folder) in done.stderr
    assert run("verify", dataset).exit_code == 1


def test_intermediates_of_another_image_do_not_stay(tiny_model, dataset, tmp_path):
    assert segmented(tiny_model, dataset, "--keep_intermediates").exit_code == 0
    folder = dataset / "jobs/intermediates/image.zarr"
    first = files(folder)
    write_image(dataset / "OMETIFF" / "image.ome.tiff", spots((120, 140), seed=9))
    assert segmented(tiny_model, dataset, "--keep_intermediates").exit_code == 0
    assert files(folder) != first
    write_image(dataset / "OMETIFF" / "image.ome.tiff", spots((120, 140), seed=10))
    done = segmented(tiny_model, dataset)
    assert done.exit_code == 0
    assert not folder.exists()
    assert f"{folder} was made for other input" in done.stderr


def test_masks_of_two_images_are_not_measured_together(tiny_model, dataset):
    write_image(dataset / "OMETIFF" / "image.ome.tiff", spots((120, 140), seed=9))
    assert segmented(tiny_model, dataset, "--compartment", "whole-cell").exit_code == 0
    done = segmented(tiny_model, dataset, command="measure")
    assert done.exit_code == 1
    assert "different images" in done.errors["image"]
    assert segmented(tiny_model, dataset, "--compartment", "whole-cell", command="measure").exit_code == 0
