"""Rows of the table and places of cells."""

import shutil

import numpy as np
import pytest

from cellscale.cells.text.dialects import Dialect
from cellscale.images.masks.mask_reader import open_mask
from cellscale.viewer.table import CellTable
from tests.cli.runs import run
from tests.viewer.questions import facts, numbers


@pytest.fixture
def segmented(tissue, tmp_path):
    """The masks of one image, and no table."""
    root = tmp_path / "data"
    for folder in ("OMETIFF", "SEGMASK"):
        (root / folder).mkdir(parents=True)
        for file in (tissue / folder).glob("*001*.tiff"):
            shutil.copy(file, root / folder)
    return root


def middles(root, mask="WholeCellMask"):
    """Return the mean x and y of every label of a mask."""
    with open_mask(root / "SEGMASK" / f"tissue_001_{mask}.tiff") as opened:
        labels = opened.read(opened.info.region)
    rows, columns = np.nonzero(labels)
    found, objects = np.unique(labels[rows, columns], return_inverse=True)
    counts = np.bincount(objects)
    means = [np.bincount(objects, places) / counts + 0.5 for places in (columns, rows)]
    return dict(zip(found.tolist(), np.stack(means, axis=1), strict=True))


@pytest.mark.slow
def test_cells_and_nuclei_are_where_the_table_says(served, tissue):
    for mask, word in (("WholeCellMask", "cells"), ("NucleusMask", "nuclei")):
        for label, middle in list(middles(tissue, mask).items())[::60]:
            told = facts(served, f"images/0/objects/{word}/{label}")
            if told["row"] is not None:
                assert told["row"]["labels"][word] == label
                if word == "cells":
                    np.testing.assert_allclose(told["place"], middle, atol=1)
                else:
                    np.testing.assert_allclose(told["place"], middle, atol=12)  # the centroid is the cell's


@pytest.mark.parametrize("mpp", [0.5, 0.31, 2.0])
def test_cells_are_found_whatever_pixel_size_the_table_was_made_with(serve, segmented, mpp):
    assert run("measure", "--no_report", "--image_mpp", mpp, "workspace", segmented).exit_code == 0
    with serve(segmented) as server:
        for label, middle in list(middles(segmented).items())[::80]:
            np.testing.assert_allclose(facts(server, f"images/0/objects/cells/{label}")["place"], middle, atol=3)


def test_without_a_table_a_cell_is_found_in_the_mask(serve, segmented):
    with serve(segmented) as server:
        label, middle = list(middles(segmented).items())[100]
        told = facts(server, f"images/0/objects/cells/{label}")
        assert told["row"] is None
        np.testing.assert_allclose(told["place"], middle, atol=1)
        assert facts(server, "images/0/objects/cells/4000000000") is None
        assert facts(server, "images/0/objects/cells/0") is None


def test_columns_are_those_of_the_table(served, tissue):
    table = CellTable(tissue / "REPORTS" / "tissue_001_QUANT.parquet")
    try:
        names = facts(served, "images/0")["measurements"]
        labels, _ = numbers(served, "images/0/labels/cells", "<u4")
        areas, _ = numbers(served, f"images/0/measurements/{names.index('Cell: Area µm^2')}", "<f4")
        assert len(labels) == len(areas) == table.rows == facts(served, "images/0")["objects"]
        row = table.row("whole-cell", int(labels[17]))
        assert dict(row.values)["Cell: Area µm^2"] == f"{areas[17]:.4f}".rstrip("0").rstrip(".")
    finally:
        table.close()


def test_values_are_shown_as_the_tab_separated_table_has_them(tissue):
    lines = (tissue / "REPORTS" / "tissue_001_QUANT.tsv").read_text(encoding="utf-8").splitlines()
    header, *rows = [line.split("\t") for line in lines]
    by_id = {row[1]: dict(zip(header, row, strict=True)) for row in rows}
    table = CellTable(tissue / "REPORTS" / "tissue_001_QUANT.parquet")
    try:
        with_nucleus = table.labels("nuclear") > 0
        assert not with_nucleus.all()
        for chosen in (np.argmin(with_nucleus), np.argmax(with_nucleus)):
            row = table.row("whole-cell", int(table.labels("whole-cell")[chosen]))
            expected = by_id[row.object_id]
            assert dict(row.values) == {name: expected[name] for name, _ in row.values}
    finally:
        table.close()


@pytest.mark.parametrize("dialect", list(Dialect))
def test_tables_of_both_dialects_are_read(serve, segmented, dialect):
    words = ["--no_report", "--qupath_version", dialect.value]
    assert run("measure", *words, "workspace", segmented).exit_code == 0
    with serve(segmented) as server:
        label = next(iter(middles(segmented)))
        row = facts(server, f"images/0/objects/cells/{label}")["row"]
        assert row["kind"] == "Cell"
        assert len(row["values"]) == 2 + len(facts(server, "images/0")["measurements"])


def test_detections_of_a_single_mask_are_found_by_their_label(serve, segmented):
    (segmented / "SEGMASK" / "tissue_001_WholeCellMask.tiff").unlink()
    assert run("measure", "--no_report", "workspace", segmented).exit_code == 0
    with serve(segmented) as server:
        assert facts(server, "images/0")["masks"] == ["nuclei"]
        label, middle = list(middles(segmented, "NucleusMask").items())[50]
        told = facts(server, f"images/0/objects/nuclei/{label}")
        assert told["row"]["kind"] == "Detection"
        np.testing.assert_allclose(told["place"], middle, atol=1)
