"""The outputs that are made on request."""

import json
import sys

import anndata
import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile
import zarr

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path, image=spots((300, 340), seed=6))


def made(model, dataset, *options):
    done = run("segment-and-measure", "--model_path", model, *options, "workspace", dataset)
    assert done.exit_code == 0
    return done


def labels(dataset, kind):
    return zarr.open_group(dataset / "SEGMASK" / f"image_{kind}Mask.ome.zarr", mode="r")["0"][...]


def test_masks_as_ome_zarr_hold_the_labels_of_the_tiff_masks(tiny_model, dataset):
    made(tiny_model, dataset, "--mask_format", "both")
    for kind in ("WholeCell", "Nucleus"):
        expected = tifffile.imread(dataset / "SEGMASK" / f"image_{kind}Mask.tiff")
        assert expected.max() > 10
        np.testing.assert_array_equal(labels(dataset, kind), expected)


def test_masks_as_ome_zarr_alone_are_measured_like_tiff_masks(tiny_model, dataset, tmp_path):
    made(tiny_model, dataset, "--mask_format", "ome-zarr")
    assert not list((dataset / "SEGMASK").glob("*.tiff"))
    table = dataset / "REPORTS" / "image_QUANT.tsv"
    from_zarr = table.read_bytes()
    made(tiny_model, dataset, "--overwrite")
    assert table.read_bytes() == from_zarr
    assert from_zarr.count(b"\n") > 10


def test_an_anndata_file_has_a_row_for_each_cell(tiny_model, dataset):
    made(tiny_model, dataset, "--export", "anndata")
    cells = anndata.read_h5ad(dataset / "REPORTS" / "image_QUANT.h5ad")
    table = pq.read_table(dataset / "REPORTS" / "image_QUANT.parquet").to_pandas()
    assert list(cells.obs["cell_label"]) == list(table["Cell label"])
    np.testing.assert_array_equal(cells.X[:, 0], table["Cell: DAPI: Mean"].to_numpy())


def test_names_of_qupath_0_5_are_written_on_request(tiny_model, dataset):
    made(tiny_model, dataset, "--qupath_version", "0.5")
    header = (dataset / "REPORTS" / "image_QUANT.tsv").read_text(encoding="utf-8").splitlines()[0]
    assert "DAPI: Nucleus: Mean" in header.split("\t")
    project = json.loads((dataset / "PROJ" / "project.qpproj").read_text(encoding="utf-8"))
    assert project["version"] == "0.5.1"


def test_a_deleted_project_is_made_again_and_a_finished_one_kept(tiny_model, dataset):
    made(tiny_model, dataset)
    project = dataset / "PROJ" / "project.qpproj"
    content = project.read_bytes()
    assert made(tiny_model, dataset).statuses == {"image": "kept"}
    for file in (project, *project.parent.rglob("data.qpdata")):
        file.unlink()
    assert made(tiny_model, dataset).statuses == {"image": "done"}
    assert project.read_bytes() == content


def test_an_image_that_is_an_npz_file_alone_is_kept_by_a_second_run(tiny_model, tmp_path):
    (tmp_path / "NPZ_INTERMEDIATE").mkdir()
    (tmp_path / "OMETIFF").mkdir()
    pixels = np.moveaxis(spots((200, 220), seed=7), 0, -1)
    np.savez(tmp_path / "NPZ_INTERMEDIATE" / "alone.npz", input_channels=pixels)
    assert made(tiny_model, tmp_path, "--image_mpp", "0.5").statuses == {"alone": "done"}
    assert made(tiny_model, tmp_path, "--image_mpp", "0.5").statuses == {"alone": "kept"}


def test_an_extra_that_is_not_installed_is_told_before_any_work(tiny_model, dataset, monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata", None)
    words = ["--model_path", tiny_model, "--export", "anndata", "workspace", dataset]
    done = run("segment-and-measure", *words)
    assert done.exit_code == 2
    assert "cellscale[anndata]" in done.stderr
    assert not (dataset / "SEGMASK").exists()


def test_the_certificate_is_on_record(tiny_model, dataset):
    made(tiny_model, dataset)
    record = json.loads((dataset / "jobs" / "records" / "image.json").read_text(encoding="utf-8"))
    assert record["segmentation"]["certified"] is True
    assert record["segmentation"]["certificates"]["nuclear"] == {"blocks": 1, "enlarged": 0, "largest_halo": 32}
