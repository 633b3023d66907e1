"""Images that are odd but right: they are finished like any other."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
import tifffile

from tests.cli.runs import MASKS, finished, run
from tests.pipeline.spots import spots, write_image

SHAPE = (60, 80)


def rows(dataset, image):
    with (dataset / "REPORTS" / f"{image}_QUANT.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def marked(value):
    """Return nucleus, membrane and a marker that has one pixel of another value."""
    planes = spots(SHAPE).astype(np.float32)
    planes = np.concatenate([planes, planes[:1]])
    planes[2, 30, 40] = value
    return planes


def one_side(path):
    facts = {"axes": "CYX", "PhysicalSizeX": 0.5, "Channel": {"Name": ["DAPI", "Membrane"]}}
    tifffile.imwrite(path, spots(SHAPE), ome=True, metadata=facts, photometric="minisblack")


def two_images(path):
    with tifffile.TiffWriter(path, ome=True) as writer:
        for name in ("core A", "core B"):
            facts = {"axes": "CYX", "Name": name, "Channel": {"Name": ["DAPI", "Membrane"]}}
            writer.write(spots(SHAPE), metadata=facts, photometric="minisblack")


EMPTY = {
    "zero": np.zeros((2, *SHAPE), np.uint16),
    "zero floats": np.zeros((2, *SHAPE), np.float32),
    "one pixel": np.full((2, 1, 1), 7, np.uint8),
    "one row": np.full((2, 1, 500), 7, np.uint16),
    "one column": np.full((2, 500, 1), 7, np.uint16),
    "the brightest": np.full((2, *SHAPE), 65535, np.uint16),
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extreme")
    for name, planes in EMPTY.items():
        write_image(folder / "OMETIFF" / f"{name}.ome.tiff", planes)
    for name, value in (("finite", 5), ("nan", np.nan), ("infinite", np.inf)):
        write_image(folder / "OMETIFF" / f"{name}.ome.tiff", marked(value), ["DAPI", "Membrane", "CD3"])
    one_side(folder / "OMETIFF" / "one side.ome.tiff")
    two_images(folder / "OMETIFF" / "two images.ome.tiff")
    return folder


@pytest.fixture(scope="module")
def done(dataset, tiny_model):
    return run("segment-and-measure", "--no_report", "--model_path", tiny_model, "workspace", dataset)


@pytest.mark.slow
def test_all_are_done(done):
    assert done.exit_code == 0
    assert set(done.statuses.values()) == {"done"}


@pytest.mark.parametrize("image", EMPTY)
def test_an_image_without_cells_gets_empty_masks_and_tables(dataset, done, image):
    assert finished(dataset, image)
    for mask in MASKS:
        labels = tifffile.imread(dataset / mask.format(image))
        assert labels.shape == EMPTY[image].shape[1:]
        assert not labels.any()
    table = dataset / "REPORTS" / f"{image}_QUANT.tsv"
    assert table.read_text(encoding="utf-8").startswith("Image\t")
    assert rows(dataset, image) == []
    assert pq.read_table(table.with_suffix(".parquet")).num_rows == 0


@pytest.mark.parametrize("image", ["nan", "infinite"])
def test_a_marker_that_is_not_finite_spoils_only_what_is_made_of_it(dataset, done, image):
    """The marker is not segmented from, so that the cells are there; one of them has the odd pixel."""
    expected, found = rows(dataset, "finite"), rows(dataset, image)
    assert len(expected) == len(found) > 3
    different = [
        (cell, column)
        for cell, (one, other) in enumerate(zip(expected, found, strict=True))
        for column in one
        if one[column] != other[column] and column not in {"Image", "Object ID"}
    ]
    assert len({cell for cell, _ in different}) == 1
    assert {column.split(": ")[1] for _, column in different} == {"CD3"}
    assert {column.split(": ")[2] for _, column in different} >= {"Mean", "Std.Dev.", "Variance"}


def test_further_images_of_a_file_are_told_once(done):
    told = "two images: warning: the file holds 2 images of like size; only image 1 (core A) is worked on"
    assert done.stderr.count(told) == 1


def test_pixels_of_which_one_side_is_known_are_told_once(dataset, done):
    told = "one side: warning: the file gives only one side of a pixel, 0.5 µm; a square is assumed"
    assert done.stderr.count(told) == 1
    assert "Cell: Area µm^2" in rows(dataset, "one side")[0]
    again = run("measure", "--no_report", "--overwrite", "--image_filter", "one side", "workspace", dataset)
    assert again.stderr.count(told) == 1
