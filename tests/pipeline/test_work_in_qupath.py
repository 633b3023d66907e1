"""A person's work in QuPath survives runs, and what cannot be taken over is told."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset
from tests.qupath.edits.data_editor import Edit, after_children, children, classify, drawn

pytestmark = pytest.mark.slow

IMAGE = spots((200, 210), seed=4)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_model):
    dataset = write_dataset(tmp_path_factory.mktemp("qupath"), image=IMAGE)
    assert run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset).exit_code == 0
    return dataset


@pytest.fixture
def dataset(finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "dataset", copy_function=shutil.copy2)
    project = copy / "PROJ" / "project.qpproj"
    project.write_text(project.read_text().replace(str(finished), str(copy)))
    return copy


def data(dataset):
    return dataset / "PROJ" / "data" / "1" / "data.qpdata"


def edited(dataset):
    """Draw, classify and describe; return the id of the cell."""
    edit = Edit(data(dataset))
    first = next(iter(edit.cells()))
    classify(edit.cells()[first])
    edit.add(drawn(name="mine"))
    edit.save()
    project = dataset / "PROJ" / "project.qpproj"
    document = json.loads(project.read_text())
    document["images"][0] |= {"imageName": "patient 7", "description": "seen"}
    project.write_text(json.dumps(document))
    return first


def survived(dataset, first):
    edit = Edit(data(dataset))
    assert after_children(edit.cells()[first])[1].values["name"] == "Tumor"
    assert children(edit.root)[-1].contents[0] == "mine"
    entry = json.loads((dataset / "PROJ" / "project.qpproj").read_text())["images"][0]
    assert (entry["imageName"], entry["description"]) == ("patient 7", "seen")
    return True


@pytest.mark.parametrize(
    "options",
    [
        ("--export", "anndata"),
        ("--qupath_version", "0.5"),
        ("--matching", "qupath-initializer"),
        ("--overwrite",),
        ("--image_mpp", "0.25"),
    ],
)
def test_work_survives_a_run_with_other_options(dataset, options):
    first = edited(dataset)
    theirs = data(dataset).read_bytes()
    done = run("measure", *options, "workspace", dataset)
    assert done.exit_code == 0
    assert survived(dataset, first)
    kept = list(data(dataset).parent.glob("data.qpdata.edited-*"))
    same_objects = options[0] in ("--export", "--overwrite")
    assert (data(dataset).read_bytes() == theirs) == same_objects
    assert [file.read_bytes() for file in kept] == ([] if same_objects else [theirs])
    assert ("taken over from what was done in QuPath: 1 annotation, classes of 1 cell" in done.stderr) != same_objects


def test_what_is_lost_with_a_cell_is_told_with_its_file(dataset):
    edited(dataset)
    label = pq.read_table(dataset / "REPORTS" / "image_QUANT.parquet")["Cell label"][0].as_py()
    mask = dataset / "SEGMASK" / "image_WholeCellMask.tiff"
    labels = tifffile.imread(mask)
    tifffile.imwrite(mask, np.where(labels == label, 0, labels).astype(np.int32))
    done = run("measure", "--overwrite", "workspace", dataset)
    assert done.exit_code == 0
    (kept,) = data(dataset).parent.glob("data.qpdata.edited-*")
    said = "not taken over from what was done in QuPath: classes of 1 cell, of cells that are not there any more"
    assert said in done.stderr
    assert str(kept) in done.stderr
    assert said in (dataset / "REPORTS" / "image_report.html").read_text(encoding="utf-8")
    assert children(Edit(data(dataset)).root)[-1].contents[0] == "mine"


def test_slides_of_one_name_have_ids_of_their_own(finished, tmp_path):
    other = write_dataset(tmp_path / "other", image=IMAGE[:, ::-1])
    (other / "SEGMASK").mkdir()
    for mask in (finished / "SEGMASK").glob("*Mask.tiff"):
        shutil.copy(mask, other / "SEGMASK")
    assert run("measure", "workspace", other).exit_code == 0
    tables = [folder / "REPORTS" / "image_QUANT.parquet" for folder in (finished, other)]
    one, two = (pq.read_table(table)["Object ID"].to_pylist() for table in tables)
    assert len(one) == len(two) > 10
    assert not set(one) & set(two)
