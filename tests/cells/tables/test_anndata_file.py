"""AnnData files, read back by anndata."""

import sys

import numpy as np
import pytest

from cellscale.cells.tables.anndata_file import AnnDataWriter
from cellscale.cells.tables.anndata_matrices import require_anndata
from cellscale.cells.text import Dialect
from cellscale.errors import RequestError
from cellscale.images.info import PixelSize
from tests.cells.scenes import blobs, measured, written


def read_back(measurement, path, size=7):
    anndata = pytest.importorskip("anndata")
    with path.open("w+b") as stream:
        written(AnnDataWriter, measurement, stream, size)
    return anndata.read_h5ad(path)


def layer_names(found):
    # Since anndata 0.13 X is one of the layers, without a name.
    return [name for name in found.layers if name is not None]


def test_means_layers_and_labels(tmp_path):
    cells, nuclei = blobs((60, 80), 4)
    channels = np.random.default_rng(0).normal(size=(2, 60, 80)).astype(np.float32)
    with measured(cells, nuclei, channels, pixel_size=PixelSize(0.5, 0.25), channel_names=["A", "B"]) as measurement:
        found = read_back(measurement, tmp_path / "x.h5ad")
        batch = next(measurement.batches())
    assert found.var_names.tolist() == ["A", "B"]
    assert found.obs_names.tolist() == [identity.decode() for identity in batch.ids]
    assert found.obs["cell_label"].tolist() == batch.cell_labels.tolist()
    assert found.obs["nucleus_label"].tolist() == batch.nucleus_labels.tolist()
    assert found.uns["unit"] == "µm"
    assert found.uns["image"] == "image"
    assert len(layer_names(found)) == 23
    for row, (cell, nucleus) in enumerate(zip(batch.cell_labels, batch.nucleus_labels, strict=True)):
        inside = channels[:, cells == cell].astype(np.float64)
        np.testing.assert_allclose(found.X[row], inside.mean(axis=1), rtol=1e-5)
        np.testing.assert_array_equal(found.layers["cell_median"][row], np.float32(np.median(inside, axis=1)))
        assert found.obs["area"].iloc[row] == (cells == cell).sum() / 8
        area = found.obs["nucleus_area"].iloc[row]
        assert area == (nuclei == nucleus).sum() / 8 if nucleus else np.isnan(area)
        y, x = np.nonzero(cells == cell)
        center = ((x.mean() + 0.5) / 2, (y.mean() + 0.5) / 4)
        np.testing.assert_allclose(found.obsm["spatial"][row], center, atol=0.006)


def test_shape_features_have_names_that_anndata_holds_and_that_lead_back_to_qupaths(tmp_path):
    cells, nuclei = blobs((60, 80), 4)
    with measured(cells, nuclei, [cells], pixel_size=PixelSize(0.5, 0.25)) as measurement:
        found = read_back(measurement, tmp_path / "x.h5ad")
        columns = measurement.columns(Dialect.V0_7)
        batch = next(measurement.batches())
    values, absent = batch.select(columns)
    names = found.uns["qupath_names"]
    assert names["nucleus_cell_area_ratio"] == "Nucleus/Cell area ratio"
    assert sorted(names.values()) == sorted(columns.names[24:])
    for name, original in names.items():
        column = columns.names.index(original)
        expected = np.where(absent[:, column], np.nan, values[:, column])
        np.testing.assert_array_equal(found.obs[name], expected, err_msg=name)


def test_what_spatial_tools_look_for(tmp_path):
    cells = np.array([[1, 1, 0, 5]])
    for masks, key, region in (
        ((cells, cells), "cell_label", "my_image_1_cells"),
        ((cells, None), "cell_label", "my_image_1_cells"),
        ((None, cells), "nucleus_label", "my_image_1_nuclei"),
    ):
        with measured(*masks, [cells], image_name="my image:1") as measurement:
            found = read_back(measurement, tmp_path / "x.h5ad")
        attributes = found.uns["spatialdata_attrs"]
        assert (attributes["region"], attributes["region_key"]) == (region, "region")
        assert attributes["instance_key"] == "label"
        assert found.obs["label"].tolist() == [1, 5]
        assert found.obs["region"].cat.categories.tolist() == [region]
        assert found.obs["image"].cat.categories.tolist() == ["my image:1"]
        assert found.obs[key].tolist() == [1, 5]
        assert list(found.uns["spatial"]) == ["my image:1"]


@pytest.mark.parametrize("cells", [np.zeros((3, 3), dtype=int), np.eye(3, dtype=int)])
def test_detections_with_and_without_objects(tmp_path, cells):
    with measured(cells, None, [cells, cells]) as measurement:
        found = read_back(measurement, tmp_path / "x.h5ad")
    assert found.shape == (cells.max(), 2)
    assert sorted(layer_names(found)) == ["max", "median", "min", "std", "variance"]
    assert found.X.tolist() == [[1, 1]] * cells.max()


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata.io", None)
    with (
        measured(np.eye(3), None) as measurement,
        (tmp_path / "x.h5ad").open("w+b") as stream,
        pytest.raises(RequestError, match=r"cellscale\[anndata\]"),
    ):
        AnnDataWriter(stream, measurement)


def test_an_anndata_that_is_too_old_is_called_that(monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata.io", None)
    with pytest.raises(RequestError, match=r"anndata \d+\S* is installed, which cannot be used .*--upgrade"):
        require_anndata()


def test_the_file_is_closed_when_finishing_fails(tmp_path, monkeypatch):
    with (
        measured(np.eye(3), None) as measurement,
        (tmp_path / "x.h5ad").open("w+b") as stream,
    ):
        writer = AnnDataWriter(stream, measurement)
        monkeypatch.setattr(writer, "_finish", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError), writer:
            pass
        assert not writer._file.is_open
