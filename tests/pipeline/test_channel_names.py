"""Names of channels are the same in all outputs."""

import gzip
import json
import shutil

import anndata
import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile

from cellscale.images.channels import USUAL_NAMES_VERSION
from cellscale.images.masks.mask_writer import write_mask
from cellscale.storage.uri import find
from cellscale.viewer.dataset import Dataset
from cellscale.viewer.open_image import ImageFiles, OpenImage
from cellscale.viewer.overview_cache import OverviewCache
from cellscale.viewer.page_json import image_facts
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import mask_name, workspace_paths
from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset, write_image
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


def as_version_0_2_left_it(folder):
    """Leave a record of the objects alone, and the names that were written then."""
    record = json.loads((folder / "cellscale.json").read_text("utf-8"))
    (folder / "cellscale.json").write_text(json.dumps({"written": record["written"]}), "utf-8")
    server = json.loads((folder / "server.json").read_text("utf-8"))
    server["metadata"]["channels"][2]["name"] = "DAPI"
    (folder / "server.json").write_text(json.dumps(server), "utf-8")


def test_an_older_projects_equal_names_are_told_apart(dataset):
    run("measure", "workspace", dataset)
    path = dataset / "PROJ" / "project.qpproj"
    document = json.loads(path.read_text("utf-8"))
    channels = document["images"][0]["serverBuilder"]["metadata"]["channels"]
    channels[2] |= {"name": "DAPI", "color": 7}
    channels[3]["name"] = "Leukocytes"
    path.write_text(json.dumps(document), "utf-8")
    as_version_0_2_left_it(dataset / "PROJ" / "data" / "1")
    assert run("measure", "--overwrite", "workspace", dataset).exit_code == 0
    assert project_names(dataset) == ["DAPI", "CD45 ", "DAPI (2)", "Leukocytes"]
    document = json.loads(path.read_text("utf-8"))
    assert document["images"][0]["serverBuilder"]["metadata"]["channels"][2]["color"] == 7


def write_unnamed(dataset, planes, image="image"):
    path = dataset / "OMETIFF" / f"{image}.ome.tif"
    path.parent.mkdir(exist_ok=True)
    tifffile.imwrite(path, planes, ome=True, photometric="minisblack", metadata={"axes": "CYX"})


@pytest.fixture
def unnamed(tmp_path):
    """A dataset as ASHLAR leaves it: no names."""
    write_unnamed(tmp_path, constant_planes(3))
    write_masks(tmp_path)
    return tmp_path


def write_list(path, *names):
    rows = [f"{number},1,{name}" for number, name in enumerate(names, 1)]
    path.write_text("\n".join(["channel_number,cycle_number,marker_name", *rows, ""]), "utf-8")
    return path


def measure(dataset, *options):
    done = run("measure", *options, "workspace", dataset)
    assert done.exit_code == 0, done.stderr
    return done


def test_a_list_beside_the_images_names_those_without_names(unnamed):
    write_list(unnamed / "OMETIFF" / "Markers.csv", "DNA", "CD3", "CD8")
    assert "names of channels: Markers.csv" in measure(unnamed).stderr
    assert table_means(unnamed) == {"DNA": 1, "CD3": 2, "CD8": 3}
    assert project_names(unnamed) == project_names(unnamed, "data/1/server.json") == ["DNA", "CD3", "CD8"]
    assert measure(unnamed).statuses == {"image": "kept"}


def test_other_names_make_outputs_stale_and_the_project_follows(unnamed):
    names = write_list(unnamed / "names.csv", "DNA", "CD3", "CD8")
    measure(unnamed)
    assert table_means(unnamed) == {"Channel 1": 1, "Channel 2": 2, "Channel 3": 3}
    assert measure(unnamed, "--channel_names", names).statuses == {"image": "done"}
    assert project_names(unnamed) == list(table_means(unnamed)) == ["DNA", "CD3", "CD8"]
    assert measure(unnamed, "--channel_names", names).statuses == {"image": "kept"}
    write_list(names, "DNA", "CD4", "CD8")
    path = unnamed / "PROJ" / "project.qpproj"
    path.write_text(path.read_text("utf-8").replace('"name": "CD8"', '"name": "T cells"'), "utf-8")
    assert measure(unnamed, "--channel_names", names).statuses == {"image": "done"}
    assert list(table_means(unnamed)) == ["DNA", "CD4", "CD8"]
    assert project_names(unnamed) == ["DNA", "CD4", "T cells"]
    measure(unnamed, "--channel_names", "none")
    assert project_names(unnamed) == ["Channel 1", "Channel 2", "T cells"]


def test_names_of_the_files_own_stay_unless_a_list_is_asked_for(dataset):
    measure(dataset)
    write_list(dataset / "OMETIFF" / "markers.csv", "A", "B", "C", "D")
    done = measure(dataset)
    assert done.statuses == {"image": "kept"}
    assert "markers.csv beside the images is not used" in measure(dataset, "--overwrite").stderr
    assert list(table_means(dataset)) == TOLD_APART
    measure(dataset, "--channel_names", dataset / "OMETIFF" / "markers.csv")
    assert list(table_means(dataset)) == project_names(dataset) == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("version", "compartments"), [("0.7", ["whole-cell", "nuclear"]), ("0.5", ["whole-cell"]), ("0.5", ["nuclear"])]
)
def test_the_viewer_shows_the_names_that_were_measured(unnamed, tmp_path, version, compartments):
    names = write_list(unnamed / "names.csv", "DNA", "CD3", "CD8")
    shutil.rmtree(unnamed / "SEGMASK")
    write_masks(unnamed, compartments=compartments)
    measure(unnamed, "--channel_names", names, "--qupath_version", version)
    paths = workspace_paths(unnamed)
    dataset = Dataset(discover(paths), paths, OverviewCache(tmp_path / "cache"))
    with dataset.image(0) as viewed:
        assert [channel["name"] for channel in image_facts(viewed)["channels"]] == ["DNA", "CD3", "CD8"]
    dataset.close()


def test_counts_that_do_not_fit_fail_the_image_and_not_the_others(unnamed):
    write_unnamed(unnamed, constant_planes(2), "two")
    write_masks(unnamed, "two")
    names = write_list(unnamed / "names.csv", "DNA", "CD3", "CD8")
    done = run("measure", "--channel_names", names, "workspace", unnamed)
    assert done.exit_code == 1
    assert done.statuses == {"image": "done", "two": "failed"}
    assert "3 names of channels found in names.csv, 2 channels in the image" in done.errors["two"]


def test_a_list_that_cannot_be_read_refuses_the_request(unnamed):
    run("measure", "--channel_names", unnamed / "x.csv", "workspace", unnamed).explains("--channel_names", "x.csv")
    (unnamed / "x.csv").write_text("a,b\n1,2\n")
    run("measure", "--channel_names", unnamed / "x.csv", "workspace", unnamed).explains("columns a, b found")
    (unnamed / "OMETIFF" / "panel.csv").write_text("a,b\n1,2\n")
    assert "names of channels are not known: panel.csv: columns a, b" in measure(unnamed).stderr


def test_channels_to_segment_from_are_chosen_by_listed_names(unnamed):
    write_list(unnamed / "OMETIFF" / "markers.csv", "CD3", "DAPI", "CD8")
    shutil.rmtree(unnamed / "SEGMASK")
    done = run("segment", "--dry_run", "--membrane_channel", "CD3", "workspace", unnamed)
    assert done.exit_code == 0
    assert "nucleus: #2 DAPI (by its usual name); membrane: #1 CD3 (given)" in done.stdout


def test_cycles_saved_as_time_points_are_measured_and_open_in_qupath(tmp_path):
    (tmp_path / "OMETIFF").mkdir()
    path = tmp_path / "OMETIFF" / "image.tif"
    tifffile.imwrite(path, constant_planes(6).reshape(3, 2, *SHAPE), imagej=True, metadata={"axes": "TCYX"})
    (tmp_path / "OMETIFF" / "channelNames.txt").write_text("DAPI\nCD3\nDAPI\nCD8\nDAPI\nCD20\n")
    write_masks(tmp_path)
    failed = run("measure", "workspace", tmp_path)
    assert "3 time points (T) found" in failed.errors["image"]
    assert "give --channel_axis T" in failed.errors["image"]
    done = measure(tmp_path, "--channel_axis", "T")
    assert "names of channels: channelNames.txt" in done.stderr
    expected = ["DAPI", "CD3", "DAPI (2)", "CD8", "DAPI (3)", "CD20"]
    assert table_means(tmp_path) == dict(zip(expected, range(1, 7), strict=True))
    document = json.loads((tmp_path / "PROJ" / "project.qpproj").read_text("utf-8"))
    metadata = document["images"][0]["serverBuilder"]["metadata"]
    assert (metadata["sizeZ"], metadata["sizeT"], len(metadata["channels"])) == (1, 3, 2)
    assert measure(tmp_path, "--channel_axis", "T").statuses == {"image": "kept"}
    measure(tmp_path, "--channel_axis", "T", "--overwrite")
    assert project_names(tmp_path) == ["DAPI", "CD3"]


@pytest.mark.slow
def test_another_list_of_usual_names_is_told_where_masks_are_made_again(tmp_path, tiny_model):
    write_dataset(tmp_path, image=spots((100, 120)))
    words = ("--model_path", tiny_model, "workspace", tmp_path)
    assert run("segment", *words).exit_code == 0
    path = tmp_path / "jobs" / "records" / "image.json"
    record = json.loads(path.read_text("utf-8"))
    assert record.pop("checksum")  # as of a version that had neither
    assert record["segmentation"].pop("usual_names") == USUAL_NAMES_VERSION
    path.write_text(json.dumps(record), "utf-8")
    told = "the list of usual names of channels is another one (version 2, then 1)"
    assert told not in run("segment", "--dry_run", *words).stderr
    for output in record["segmentation"]["outputs"].values():
        output["made_from"] = "another choice"
    path.write_text(json.dumps(record), "utf-8")
    assert told in run("segment", "--dry_run", *words).stderr
    named = ("--nuclear_channel", "DAPI", "--membrane_channel", "none")
    assert told not in run("segment", "--dry_run", *named, *words).stderr
