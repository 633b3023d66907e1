"""Regions that are drawn, cells that are excluded, and pictures that are saved."""

import csv
import json
import shutil
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from cellscale.annotations import RegionFile, read_geojson, wanted_area
from tests.cli.runs import run
from tests.viewer.datasets import measured_dataset
from tests.viewer.questions import facts
from tests.viewer.views import a_cell, canvas, look, view


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return measured_dataset(tmp_path_factory.mktemp("drawn") / "small", images=1, size=300)


@pytest.fixture
def dataset(small, tmp_path):
    return shutil.copytree(small, tmp_path / "data")


def send(server, path, **sent):
    """Send something; return the status and the answer."""
    request = urllib.request.Request(
        server.url + "api/" + path, json.dumps(sent).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def square(left, top, side, name="Tumor"):
    ring = [[left, top], [left + side, top], [left + side, top + side], [left, top + side], [left, top]]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "annotation", "name": name},
    }


@pytest.mark.slow
def test_regions_are_drawn_named_saved_and_taken_by_a_run(page, serve, dataset):
    kept = dataset / "REGIONS" / "tissue_001.geojson"
    with serve(dataset) as server:
        look(page, f"{server.url}#at=150,150,2")
        at = view(page)
        box = page.locator("#picture").bounding_box()

        def on_screen(x, y):
            return (
                box["x"] + box["width"] / 2 + (x - at["x"]) * at["zoom"],
                box["y"] + box["height"] / 2 + (y - at["y"]) * at["zoom"],
            )

        def drag(*corners):
            page.mouse.move(*on_screen(*corners[0]))
            page.mouse.down()
            page.mouse.move(*on_screen(*corners[1]))
            page.mouse.up()

        page.keyboard.press("r")
        drag((40, 60), (120, 140))
        page.locator("#draw-ellipse").click()
        drag((150, 60), (250, 120))
        page.locator("#draw-polygon").click()
        for corner in ((60, 180), (200, 180), (130, 260)):
            page.mouse.click(*on_screen(*corner))
        page.keyboard.press("Enter")
        names = page.get_by_label("Name of the region")
        expect(names).to_have_count(3)
        names.nth(0).fill("Tumor")
        field, listed = names.nth(0).bounding_box(), page.locator("#regions").bounding_box()
        for side in ("x", "y"):  # what shows where one writes is not cut off
            assert field[side] - listed[side] >= 4
        page.locator("#draw-sight").click()
        page.get_by_label("Remove Region 4").click()
        page.locator("#regions-save").click()
        expect(page.locator("#regions-save")).to_be_disabled()
        page.reload()
        expect(names).to_have_count(3)
        expect(page.locator("#drawn .region")).to_have_count(3)
        with page.expect_download() as download:
            page.locator("#regions-download").click()
        assert json.loads(download.value.path().read_text()) == json.loads(kept.read_text())
    drawn = read_geojson(kept.read_bytes(), "kept")
    assert drawn.names == ("Tumor", "Region 2", "Region 3")
    boxes = [one.geometry.bounds for one in drawn.regions]
    np.testing.assert_allclose(boxes, [(40, 60, 120, 140), (150, 60, 250, 120), (60, 180, 200, 260)], atol=1.5)
    assert (
        wanted_area(RegionFile(str(dataset / "REGIONS"), "tissue_001").read(), None, (300, 300)).names == drawn.names
    )
    planned = run("segment", "--dry_run", "--regions", dataset / "REGIONS", "workspace", dataset)
    assert planned.exit_code == 0, planned.stderr


@pytest.mark.slow
def test_regions_that_cannot_be_used_and_files_that_others_changed_are_refused(serve, dataset):
    kept = dataset / "REGIONS" / "tissue_001.geojson"
    with serve(dataset) as server:
        mark = facts(server, "images/0/regions")["mark"]
        crossed = square(10, 10, 50)
        crossed["geometry"]["coordinates"][0][1:3] = crossed["geometry"]["coordinates"][0][2:0:-1]
        for features, told in (
            ([crossed], "is not valid"),
            ([square(900, 900, 50)], "outside the image of 300 x 300"),
            (["nothing"], "expected"),
            ({}, "a list of regions"),
        ):
            status, answer = send(server, "images/0/regions", features=features, mark=mark)
            assert status == 400
            assert told in answer["error"]
        assert not kept.exists()
        status, answer = send(server, "images/0/regions", features=[square(10, 10, 50)], mark=mark)
        assert status == 200
        assert send(server, "images/0/regions", features=[], mark=mark)[1]["error"].count("changed meanwhile")
        kept.write_text(json.dumps({"type": "FeatureCollection", "features": [square(0, 0, 9, "theirs")]}))
        assert send(server, "images/0/regions", features=[], mark=answer["mark"])[0] == 400
        theirs = facts(server, "images/0/regions")
        assert theirs["features"] == [square(0, 0, 9, "theirs")]
        assert send(server, "images/0/regions", features=[], mark=theirs["mark"])[0] == 200
        assert facts(server, "images/0/regions")["features"] == []
        kept.write_text("{")
        with pytest.raises(urllib.error.HTTPError) as refused:
            facts(server, "images/0/regions")
        assert "it is no JSON" in refused.value.read().decode()
        assert kept.read_text() == "{"
        assert send(server, "images/9/regions", features=[], mark="")[0] == 404


@pytest.mark.slow
def test_excluded_cells_are_kept_by_id_and_become_a_class(page, serve, dataset, tmp_path):
    label, _, _ = a_cell(dataset, "tissue_001", 150)
    table = dataset / "excluded_cells.tsv"
    others = "Image\tObject ID\tClass\tWho\nother\tabc\tBad\tme\n"
    table.write_text(others)
    with serve(dataset) as server:
        look(page, f"{server.url}#at=150,150,2&channels=&cells=filled&nuclei=off&picked=cells,{label}")
        before = canvas(page)
        page.locator("#selection-exclude").click()
        expect(page.locator("#excluded-count")).to_contain_text("1 excluded")
        page.keyboard.press("Escape")
        assert (canvas(page) != before).any()
        page.reload()
        expect(page.locator("#excluded-count")).to_contain_text("1 excluded")
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        assert rows[0] == {"Image": "other", "Object ID": "abc", "Class": "Bad", "Who": "me"}
        assert (rows[1]["Image"], rows[1]["Class"]) == ("tissue_001", "Excluded")
        mine = tmp_path / "mine.tsv"
        mine.write_text(
            "".join(line for line in table.read_text().splitlines(keepends=True) if not line.startswith("other"))
        )
        classified = run("classify", "--column", "Class", dataset, mine)
        assert "tissue_001\t1 cells" in classified.stdout, classified.stderr
        page.goto("about:blank")
        look(page, f"{server.url}#at=150,150,2&picked=cells,{label}")
        expect(page.locator("#selection-facts")).to_contain_text(rows[1]["Object ID"])
        page.keyboard.press("x")
        expect(page.locator("#excluded-count")).to_be_hidden()
    assert table.read_text() == others


@pytest.mark.slow
def test_a_table_of_something_else_is_left_as_it_is(serve, dataset):
    table = dataset / "excluded_cells.tsv"
    table.write_text("what\tever\n1\t2\n")
    with serve(dataset) as server:
        status, answer = send(server, "images/0/excluded", ids=["one"], mark="")
        assert status == 400
        assert "has the columns what, ever" in answer["error"]
        assert send(server, "images/0/excluded", ids=["a\tb"], mark="")[0] == 400
    assert table.read_text() == "what\tever\n1\t2\n"


@pytest.mark.slow
def test_the_picture_is_saved_with_its_scale_bar(page, serve, dataset):
    with serve(dataset) as server:
        look(page, f"{server.url}#at=150,150,2&cells=filled")
        seen = canvas(page)
        with page.expect_download() as download:
            page.locator("#snapshot").click()
        assert download.value.suggested_filename == "tissue_001.png"
        saved = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    assert saved.shape[:2] == seen.shape[:2]
    differs = (np.abs(saved - seen[..., :3] * (seen[..., 3:] > 0)) > 3).any(axis=2)
    rows, columns = np.nonzero(differs)
    assert rows.min() > seen.shape[0] - 60  # the bar alone, in its corner
    assert columns.max() < 200
    bar = (saved == 255).all(axis=2)[rows.min() :]
    assert bar.any(axis=1).sum() > 3
