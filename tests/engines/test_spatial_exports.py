"""A SpatialData folder for each image."""

import sys

import numpy as np
import pyarrow.parquet as pa_parquet
import pytest
import tifffile

from cellscale.engines import spatial_exports
from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset

ASKED = ("--export", "spatialdata", "--no_report")


def test_without_the_extra_nothing_is_computed(tmp_path, tiny_model, monkeypatch):
    monkeypatch.setattr(spatial_exports, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "spatialdata", None)
    dataset = write_dataset(tmp_path, a=spots((120, 130)))
    asked = run("segment-and-measure", *ASKED, "--model_path", tiny_model, "workspace", dataset)
    asked.explains("SpatialData was asked for", "cellscale[spatialdata]")
    assert {path.name for path in tmp_path.iterdir()} == {"OMETIFF"}


def test_tables_in_a_bucket_are_refused():
    with pytest.raises(spatial_exports.RequestError, match="gather --format spatialdata"):
        spatial_exports.require_spatial_exports("gs://bucket/REPORTS")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the many libraries below
def test_each_image_has_a_folder_that_is_made_again_with_its_table_alone(tmp_path, tiny_model):
    spatialdata = pytest.importorskip("spatialdata")
    planes = {"a": spots((120, 130)), "b (1)": spots((150, 130), seed=1)}
    dataset = write_dataset(tmp_path, **planes)
    words = ["segment-and-measure", *ASKED, "--model_path", tiny_model, "workspace", dataset]
    done = run(*words)
    assert done.exit_code == 0, done.stderr
    for name, element in (("a", "a"), ("b (1)", "b__1_")):
        found = spatialdata.read_zarr(dataset / "REPORTS" / f"{name}_QUANT.sdata.zarr")
        table = pa_parquet.read_table(dataset / "REPORTS" / f"{name}_QUANT.parquet")
        mask = tifffile.imread(dataset / "SEGMASK" / f"{name}_WholeCellMask.tiff")
        np.testing.assert_array_equal(found[f"{element}_cells"], mask)
        np.testing.assert_array_equal(found[f"{element}_image"].sel(c="DAPI"), planes[name][0])
        attributes = found["table"].uns["spatialdata_attrs"]
        assert (attributes["region"], attributes["instance_key"]) == ([f"{element}_cells"], "label")
        assert found["table"].obs["label"].tolist() == table["Cell label"].to_pylist()
        assert set(found[f"{element}_cells_shapes"].index) == set(np.unique(mask)) - {0}
    folders = {name: dataset / "REPORTS" / f"{name}_QUANT.sdata.zarr" for name in planes}
    before = {name: folder.stat().st_mtime_ns for name, folder in folders.items()}
    (dataset / "REPORTS" / "a_QUANT.parquet").unlink()
    assert run(*words).exit_code == 0
    assert {name for name, folder in folders.items() if folder.stat().st_mtime_ns != before[name]} == {"a"}
    assert not (folders["a"] / "mine").exists()
    (folders["a"] / "mine").write_text("what somebody added")
    (dataset / "REPORTS" / "a_QUANT.parquet").unlink()
    kept = run(*words)
    assert kept.exit_code == 0
    assert f"{folders['a']} is older than the table, and is not as a run left it, so it stays" in kept.stderr
    assert (folders["a"] / "mine").read_text() == "what somebody added"
    assert run(words[0], "--overwrite=foreign", *words[1:]).exit_code == 0
    assert not (folders["a"] / "mine").exists()
