"""Names of channels are the same in all outputs."""

import gzip
import json

import anndata
import numpy as np
import pyarrow.parquet as pq
import pytest

from cellscale.images.masks.mask_writer import write_mask
from cellscale.storage.uri import find
from cellscale.viewer.open_image import ImageFiles, OpenImage
from cellscale.viewer.page_json import image_facts
from cellscale.workspace.layout import mask_name
from tests.cli.runs import run
from tests.pipeline.spots import write_image
from tests.qupath.data_reader import read_data_file

NAMES = ("DAPI", "CD45 ", "DAPI", "CD45")
TOLD_APART = ["DAPI", "CD45", "DAPI (2)", "CD45 (2)"]
SHAPE = (40, 50)


def constant_planes(count):
    return np.stack([np.full(SHAPE, value, np.uint16) for value in range(1, count + 1)])


def write_masks(dataset, image="image", compartments=("whole-cell", "nuclear")):
    labels = np.zeros(SHAPE, np.int32)
    labels[5:20, 5:20], labels[5:20, 25:40] = 1, 2
    (dataset / "SEGMASK").mkdir(exist_ok=True)
    for compartment in compartments:
        write_mask(dataset / "SEGMASK" / mask_name(image, compartment), lambda region: labels[region.slices], SHAPE)


@pytest.fixture
def dataset(tmp_path):
    write_image(tmp_path / "OMETIFF" / "image.ome.tiff", constant_planes(4), NAMES)
    write_masks(tmp_path)
    return tmp_path


def project_names(dataset, file="project.qpproj"):
    document = json.loads((dataset / "PROJ" / file).read_text("utf-8"))
    builder = document["images"][0]["serverBuilder"] if "images" in document else document
    return [channel["name"] for channel in builder["metadata"]["channels"]]


def table_means(dataset):
    table = pq.read_table(dataset / "REPORTS" / "image_QUANT.parquet")
    names = [name for name in table.column_names if name.startswith("Cell: ") and name.endswith(": Mean")]
    return {name.removeprefix("Cell: ").removesuffix(": Mean"): table[name][0].as_py() for name in names}


@pytest.mark.slow
def test_channels_of_one_name_are_told_apart_in_every_output(dataset):
    done = run("measure", "--export", "anndata", "workspace", dataset)
    assert done.exit_code == 0
    expected = dict(zip(TOLD_APART, range(1, 5), strict=True))
    assert table_means(dataset) == expected
    header, row, *_ = (dataset / "REPORTS" / "image_QUANT.tsv").read_text("utf-8").splitlines()
    table = dict(zip(header.split("\t"), row.split("\t"), strict=True))
    assert {name: table[f"Cell: {name}: Mean"] for name in TOLD_APART} == {key: str(n) for key, n in expected.items()}
    cells = anndata.read_h5ad(dataset / "REPORTS" / "image_QUANT.h5ad")
    assert [name.strip() for name in cells.var_names] == TOLD_APART
    assert cells.X[0].tolist() == [1, 2, 3, 4]
    outlines = json.loads(gzip.decompress((dataset / "SEGMASK" / "image_Cells.geojson.gz").read_bytes()))
    measurements = outlines["features"][0]["properties"]["measurements"]
    assert {name: measurements[f"Cell: {name}: Mean"] for name in TOLD_APART} == expected
    data = read_data_file((dataset / "PROJ" / "data" / "1" / "data.qpdata").read_bytes())
    assert {name: data.objects[0].measurements[f"Cell: {name}: Mean"] for name in TOLD_APART} == expected
    as_qupath_keeps_them = ["DAPI", "CD45 ", "DAPI (2)", "CD45 (2)"]
    assert project_names(dataset) == project_names(dataset, "data/1/server.json") == as_qupath_keeps_them
    assert [one["name"] for one in data.header["server"]["metadata"]["channels"]] == as_qupath_keeps_them
    said = "#3 DAPI is called DAPI (2), #4 CD45 is called CD45 (2)"
    assert said in done.stderr
    page = (dataset / "REPORTS" / "image_report.html").read_text("utf-8")
    assert said in page
    assert "CD45 (2)" in page.replace(said, "")
    viewed = OpenImage(ImageFiles(find(dataset / "OMETIFF" / "image.ome.tiff"), {}, None), lambda *_: None)
    assert [channel["name"].strip() for channel in image_facts(viewed)["channels"]] == TOLD_APART
    viewed.close()


def test_a_kept_image_still_says_it(dataset):
    run("measure", "workspace", dataset)
    assert run("measure", "workspace", dataset).statuses == {"image": "kept"}
    assert "#4 CD45 is called CD45 (2)" in (dataset / "REPORTS" / "image_report.html").read_text("utf-8")


def test_an_older_projects_equal_names_are_told_apart(dataset):
    run("measure", "workspace", dataset)
    path = dataset / "PROJ" / "project.qpproj"
    document = json.loads(path.read_text("utf-8"))
    channels = document["images"][0]["serverBuilder"]["metadata"]["channels"]
    channels[2] |= {"name": "DAPI", "color": 7}
    channels[3]["name"] = "Leukocytes"
    path.write_text(json.dumps(document), "utf-8")
    assert run("measure", "--overwrite", "workspace", dataset).exit_code == 0
    assert project_names(dataset) == ["DAPI", "CD45 ", "DAPI (2)", "Leukocytes"]
    document = json.loads(path.read_text("utf-8"))
    assert document["images"][0]["serverBuilder"]["metadata"]["channels"][2]["color"] == 7
