"""The same input gives the same bytes, whichever way it comes in."""

import shutil

import numpy as np
import pytest
import tifffile

from tests.cli.runs import MASKS, OUTPUTS, contents, finished, run
from tests.pipeline.spots import spots, write_dataset

PLANES = {"alpha": spots((300, 280), seed=1), "beta": spots((60, 80), seed=2)}


def results(dataset):
    """Return the outputs that do not name their place."""
    return contents(dataset / "SEGMASK", dataset / "REPORTS")


def masks(dataset):
    return {name: content for name, content in contents(dataset / "SEGMASK").items() if name.endswith(".tiff")}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, tiny_model):
    """A dataset with all its outputs."""
    dataset = write_dataset(tmp_path_factory.mktemp("workspace"), **PLANES)
    assert segment_and_measure(tiny_model, dataset).exit_code == 0
    return dataset


def segment_and_measure(model, dataset, *options, command="segment-and-measure"):
    return run(command, "--model_path", model, *options, "workspace", dataset)


def test_all_outputs_are_there_and_none_besides(workspace):
    assert all(finished(workspace, image) for image in PLANES)
    assert len(results(workspace)) == len(OUTPUTS) * len(PLANES)
    pages = {path.name for path in (workspace / "REPORTS").glob("*.html")}
    assert pages == {"index.html", "alpha_report.html", "beta_report.html"}
    assert not [path for path in workspace.rglob("*") if path.name.startswith(".")]


def test_masks_have_the_size_of_their_image_and_cells(workspace):
    for image, planes in PLANES.items():
        for mask in MASKS:
            labels = tifffile.imread(workspace / mask.format(image))
            assert labels.dtype == np.int32
            assert labels.shape == planes.shape[1:]
            assert set(np.unique(labels)) == set(range(labels.max() + 1))
            assert labels.max() > 3


def test_another_dataset_with_the_same_images_gets_the_same_bytes(tmp_path, workspace, tiny_model):
    again = write_dataset(tmp_path / "elsewhere", **PLANES)
    done = segment_and_measure(tiny_model, again, "--workers", "3", "--report_single_file")
    assert set(done.statuses.values()) == {"done"}
    assert results(again) == results(workspace)
    assert f"report in one file: {again / 'REPORTS' / 'report.html'}" in done.stdout.splitlines()


def test_overwriting_gives_the_same_bytes_of_everything(workspace, tiny_model):
    def everything():
        return results(workspace) | contents(workspace / "PROJ")

    before = everything()
    done = segment_and_measure(tiny_model, workspace, "--overwrite")
    assert set(done.statuses.values()) == {"done"}
    assert everything() == before


def test_segmenting_then_measuring_equals_both_at_once(tmp_path, workspace, tiny_model):
    apart = write_dataset(tmp_path, **PLANES)
    assert segment_and_measure(tiny_model, apart, command="segment").exit_code == 0
    assert masks(apart) == masks(workspace)
    assert {path.suffix for path in (apart / "REPORTS").iterdir()} == {".html"}
    assert run("measure", "workspace", apart).exit_code == 0
    assert results(apart) == results(workspace)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_files_of_the_same_channels_give_the_same_bytes(tmp_path, workspace, tiny_model, save):
    shutil.copytree(workspace / "OMETIFF", tmp_path / "OMETIFF")
    write_npz(tmp_path, save)
    assert segment_and_measure(tiny_model, tmp_path).exit_code == 0
    assert results(tmp_path) == results(workspace)


def test_npz_files_go_before_the_pixels_of_the_image(tmp_path, workspace, tiny_model):
    dataset = write_dataset(tmp_path, **{name: np.zeros_like(planes) for name, planes in PLANES.items()})
    write_npz(dataset, np.savez)
    done = segment_and_measure(tiny_model, dataset, command="segment")
    assert done.exit_code == 0
    for name in PLANES:
        assert f"{name}: pixels from {name}.npz; 0.5 µm/px" in done.stderr
    assert masks(dataset) == masks(workspace)


def test_npz_files_alone_suffice(tmp_path, workspace, tiny_model):
    write_npz(tmp_path, np.savez)
    done = segment_and_measure(tiny_model, tmp_path, "--image_mpp", "0.5")
    assert done.exit_code == 0
    assert masks(tmp_path) == masks(workspace)
    assert all(finished(tmp_path, image) for image in PLANES)


def write_npz(dataset, save):
    (dataset / "NPZ_INTERMEDIATE").mkdir()
    for name, planes in PLANES.items():
        save(dataset / "NPZ_INTERMEDIATE" / f"{name}.npz", input_channels=np.moveaxis(planes, 0, 2))


def test_one_compartment_gives_the_same_mask_of_it(tmp_path, workspace, tiny_model):
    dataset = write_dataset(tmp_path, **PLANES)
    assert segment_and_measure(tiny_model, dataset, "--compartment", "nuclear").exit_code == 0
    wanted = {name: content for name, content in masks(workspace).items() if "NucleusMask" in name}
    assert masks(dataset) == wanted
