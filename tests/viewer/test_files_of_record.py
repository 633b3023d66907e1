"""What is shown beside each other belongs together, or a person is told."""

import shutil

import pytest

from cellscale.viewer.files_of_record import files_of_record
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset


@pytest.fixture
def dataset(tmp_path, tiny_model):
    root = write_dataset(tmp_path, a=spots((90, 80), 1), b=spots((90, 80), 2))
    assert run("segment-and-measure", "--no_report", "--model_path", tiny_model, "workspace", root).exit_code == 0
    return root


def files(dataset):
    paths = workspace_paths(dataset)
    return files_of_record(paths, discover(paths)[0])


def test_a_finished_image_has_nothing_to_be_doubted(dataset):
    found = files(dataset)
    assert found.doubts == ()
    assert found.table.name == "a_QUANT.parquet"


def test_another_images_table_beside_the_masks_is_told(dataset):
    shutil.copyfile(dataset / "REPORTS" / "b_QUANT.parquet", dataset / "REPORTS" / "a_QUANT.parquet")
    (doubt,) = files(dataset).doubts
    assert "a_QUANT.parquet is not the table that was measured here" in doubt


def test_masks_of_the_last_run_are_shown_whatever_their_format(dataset, tiny_model):
    run(
        "segment", "--model_path", tiny_model, "--mask_format", "ome-zarr", "--image_mpp", "0.7", "workspace", dataset
    )
    assert {mask.name for mask in files(dataset).masks.values()} == {
        "a_WholeCellMask.ome.zarr",
        "a_NucleusMask.ome.zarr",
    }
