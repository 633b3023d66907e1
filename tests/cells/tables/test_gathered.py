"""The cells of several images in one table."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.cells.tables import AnnDataWriter, ImageTable, ParquetWriter, write_gathered, write_gathered_anndata
from cellscale.cells.text import Dialect
from cellscale.errors import ImageError
from cellscale.images.info import PixelSize
from tests.cells.scenes import blobs, measured, written

UNIT = PixelSize(0.5, 0.5)


@dataclass
class One:
    """An image's tables."""

    parquet: bytes
    anndata: Any


def one(tmp_path, name, seed=0, *, dialect=Dialect.V0_7, kind="both", channels=("A", "B: c"), size=UNIT, area=None):
    """Measure an image and write its tables."""
    anndata = pytest.importorskip("anndata")
    cells, nuclei = blobs((60, 80), seed)
    masks = {
        "both": (cells, nuclei),
        "cells": (cells, None),
        "nuclei": (None, nuclei),
        "none": (0 * cells, 0 * cells),
    }
    planes = np.random.default_rng(seed).normal(size=(len(channels), 60, 80)).astype(np.float32)
    words = {"image_name": name, "channel_names": list(channels), "pixel_size": size}
    with measured(*masks[kind], planes, **words) as measurement:
        if area is not None:
            measurement.assign_regions(area)
        stream = io.BytesIO()
        written(ParquetWriter, measurement, stream, 7, image_name=f"{name}.ome.tiff", dialect=dialect)
        with (tmp_path / f"{name}.h5ad").open("w+b") as file:
            written(AnnDataWriter, measurement, file, 7)
    return One(stream.getvalue(), anndata.read_h5ad(tmp_path / f"{name}.h5ad"))


def tables(images):
    return [ImageTable(name, pq.ParquetFile(io.BytesIO(image.parquet))) for name, image in images.items()]


def gathered(images):
    stream = io.BytesIO()
    write_gathered(stream, tables(images))
    return pq.read_table(io.BytesIO(stream.getvalue()))


def gathered_anndata(images, tmp_path):
    anndata = pytest.importorskip("anndata")
    with (tmp_path / "all.h5ad").open("w+b") as file:
        write_gathered_anndata(file, tables(images))
    return anndata.read_h5ad(tmp_path / "all.h5ad")


def test_the_rows_are_those_of_the_images_one_after_another(tmp_path):
    images = {"a": one(tmp_path, "a"), "none": one(tmp_path, "none", kind="none"), "b": one(tmp_path, "b", 1)}
    singles = [pq.read_table(io.BytesIO(image.parquet)) for image in images.values()]
    found = gathered(images)
    assert found.drop_columns(["Sample"]).equals(pa.concat_tables(singles))
    assert found["Sample"].to_pylist() == [
        name for name, table in zip(images, singles, strict=True) for _ in range(len(table))
    ]


def test_measurements_that_an_image_does_not_have_are_null(tmp_path):
    images = {"a": one(tmp_path, "a"), "b": one(tmp_path, "b", 1, channels=("B: c", "D"), size=None)}
    found = gathered(images)
    first = len(images["a"].anndata)
    for name, there in (
        ("Cell: A: Mean", (True, False)),
        ("Cell: D: Mean", (False, True)),
        ("Cell: B: c: Mean", (1, 1)),
    ):
        nulls = found[name].combine_chunks().is_null().to_numpy(zero_copy_only=False)
        assert [not nulls[:first].all(), not nulls[first:].all()] == list(map(bool, there))
    assert found.schema.names[6:10] == ["Centroid X µm", "Centroid Y µm", "Centroid X px", "Centroid Y px"]


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("kind", ["both", "cells", "nuclei", "none"])
def test_one_image_gives_what_its_own_file_has(tmp_path, kind, dialect):
    image = one(tmp_path, "my image", kind=kind, dialect=dialect)
    found, own = gathered_anndata({"my image": image}, tmp_path), image.anndata
    np.testing.assert_array_equal(found.X, own.X)
    assert set(found.layers) == set(own.layers)
    for name in own.layers:
        np.testing.assert_array_equal(found.layers[name], own.layers[name], err_msg=str(name))
    assert found.obs_names.tolist() == own.obs_names.tolist()
    assert set(found.obs) == set(own.obs)
    centroids = ["centroid_x", "centroid_y"]
    for name in set(own.obs) - set(centroids):
        assert found.obs[name].equals(own.obs[name]), name
    np.testing.assert_allclose(found.obs[centroids], own.obs[centroids], atol=0.006)  # 0.5 has a grid of its own
    assert found.uns["qupath_names"] == own.uns["qupath_names"]
    assert found.uns["unit"] == own.uns["unit"]
    if kind != "none":
        assert found.uns["spatialdata_attrs"] == own.uns["spatialdata_attrs"]


def test_images_of_other_channels_and_kinds_are_joined_with_gaps(tmp_path):
    images = {
        "a": one(tmp_path, "a", channels=("B", "A")),
        "b": one(tmp_path, "b", 1, channels=("A", "D"), size=None),
        "c": one(tmp_path, "c", 2, kind="nuclei", channels=("B",)),
    }
    found = gathered_anndata(images, tmp_path)
    assert found.var_names.tolist() == ["B", "A", "D"]
    assert found.obs_names.is_unique
    assert found.uns["unit"] == "mixed"
    assert list(found.uns["spatialdata_attrs"]["region"]) == ["a_cells", "b_cells", "c_nuclei"]
    assert found.obs["region"].cat.categories.tolist() == ["a_cells", "b_cells", "c_nuclei"]
    for name, image in images.items():
        rows, own = (found.obs["image"] == name).to_numpy(), image.anndata
        means, obs = found.X[rows], found.obs[rows]
        places = [["B", "A", "D"].index(channel) for channel in own.var_names]
        np.testing.assert_array_equal(means[:, places], own.X)
        assert np.isnan(np.delete(means, places, axis=1)).all()
        assert obs["label"].tolist() == own.obs["label"].tolist()
        assert obs["unit"].unique().tolist() == [own.uns["unit"]]


def test_regions_that_people_drew_stay_with_the_cells(tmp_path):
    left = WantedArea.of(DrawnRegions((DrawnRegion("Tumor", shapely.box(0, 0, 30, 60)),), "test"), shapely.Polygon())
    images = {"a": one(tmp_path, "a"), "b": one(tmp_path, "b", 1, area=left)}
    table = gathered(images)
    assert table.schema.names.index("Region") == table.schema.names.index("Centroid Y µm") + 1
    rows = table.select(["Sample", "Centroid X µm", "Region"]).to_pylist()
    inside = [row["Sample"] == "b" and row["Centroid X µm"] <= 15 for row in rows]
    assert 0 < sum(inside) < len(images["b"].anndata)
    assert [row["Region"] for row in rows] == ["Tumor" if one else None for one in inside]
    found, own = gathered_anndata(images, tmp_path), images["b"].anndata
    names = found.obs["drawn_region"]
    assert [None if name != name else name for name in names.astype(object)] == [row["Region"] for row in rows]
    assert names[len(images["a"].anndata) :].tolist() == own.obs["drawn_region"].tolist()
    assert found.obs["region"].cat.categories.tolist() == ["a_cells", "b_cells"]
    assert "drawn_region" not in images["a"].anndata.obs


@pytest.mark.parametrize(
    "change", [lambda table: table.drop_columns(["Object ID"]), lambda table: table.drop_columns(["Cell: A: Max"])]
)
def test_other_tables_are_refused(tmp_path, change):
    stream = io.BytesIO()
    pq.write_table(change(pq.read_table(io.BytesIO(one(tmp_path, "a").parquet))), stream)
    with pytest.raises(ImageError, match=r"Object ID|its measurements"):
        ImageTable("a", pq.ParquetFile(stream)).understood()
