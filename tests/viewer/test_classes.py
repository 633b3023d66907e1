"""Classes that a table gave to cells, in the viewer."""

import csv
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from tests.cli.runs import run
from tests.viewer.questions import facts, numbers
from tests.viewer.views import canvas, look


@pytest.fixture
def classified(tissue, tmp_path):
    """The tissue, half of whose cells have one of two classes."""
    root = tmp_path / "data"
    shutil.copytree(tissue, root)
    ids = pq.read_table(root / "REPORTS" / "tissue_001_QUANT.parquet")["Object ID"].to_pylist()
    rows = [(one, ("Tumor", "Immune: CD8")[place % 4 == 1]) for place, one in enumerate(ids) if place % 2]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("Object ID", "kind"), *rows])
    done = run("classify", root, tmp_path / "t.csv", "--color", "Tumor=#c80000", "--color", "Immune: CD8=#0000ff")
    assert done.exit_code == 0, done.stderr
    return root, dict(rows), ids


@pytest.mark.slow
def test_cells_are_coloured_by_their_classes_with_counts(page, serve, classified):
    root, given, ids = classified
    with serve(root) as server:
        told = facts(server, "images/0")
        assert told["measurements"][-1] == "Class"
        assert told["classes"] == [
            {"name": "Immune: CD8", "color": "#0000ff"},
            {"name": "Tumor", "color": "#c80000"},
        ]
        assert facts(server, "images/1")["classes"] == []
        codes, _ = numbers(server, f"images/0/measurements/{len(told['measurements']) - 1}", "<f4")
        assert np.isnan(codes).sum() == len(ids) - len(given)
        assert [given.get(one) for one in ids] == [
            None if np.isnan(code) else told["classes"][int(code)]["name"] for code in codes
        ]
        look(page, f"{server.url}#image=tissue_001&channels=&by=Class&cells=filled&nuclei=off&opacity=1")
        picture = canvas(page)[..., :3].reshape(-1, 3)
        for color in ([0xC8, 0, 0], [0, 0, 255]):
            assert (np.abs(picture - color).max(axis=1) < 3).sum() > 200
        counts = [list(given.values()).count(name) for name in ("Immune: CD8", "Tumor")]
        lines = page.locator("#legend-classes li").all_inner_texts()
        assert [line.split("\n") for line in lines] == [
            ["Immune: CD8", str(counts[0])],
            ["Tumor", str(counts[1])],
        ]
        expect(page.locator("#legend-colors")).to_be_hidden()
        page.fill("#measurement", "Nucleus: DAPI: Mean")
        expect(page.locator("#legend-colors")).to_be_visible()
        expect(page.locator("#legend-classes")).to_be_hidden()


@pytest.mark.slow
def test_searches_say_when_they_find_nothing(page, served):
    look(page, f"{served.url}#image=tissue_001&picked=cells,5")
    expect(page.locator("#selection-none")).to_be_hidden()
    page.fill("#selection-filter", "no such stain")
    expect(page.locator("#selection-none")).to_be_visible()
    page.fill("#measurement", "no such stain")
    page.press("#measurement", "Enter")
    expect(page.locator("#notice")).to_contain_text("No measurement is called no such stain")
