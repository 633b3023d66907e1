"""From an unknown image to good settings, in the browser, and to a run with them."""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pytest
import shapely
import tifffile
from PIL import Image
from playwright.sync_api import expect

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset
from tests.pipeline.test_regions import in_area
from tests.predict.seed_network import seed_network
from tests.predict.torch_network import torch_network
from tests.viewer.views import loaded

CROP = (60, 50, 160, 150)
"""x, y, width and height."""

CHANGED = (0x35, 0xD0, 0xFF)
"""What the last setting changed is drawn in this colour."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("tune"), slide=spots((260, 280), seed=3))


@contextmanager
def tuned(dataset, model, out, cache, *words):
    """Run ``cellscale tune`` on the image, and give the page's address."""
    command = [
        sys.executable,
        "-m",
        "cellscale",
        "tune",
        "--no_browser",
        "--model_path",
        model,
        "--settings_out",
        out,
    ]
    command += [
        "--region",
        ",".join(map(str, CROP)),
        "--workers",
        "1",
        *words,
        dataset / "OMETIFF" / "slide.ome.tiff",
    ]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    with subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), process.stderr.read()
            yield address
        finally:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def ask(address, path, **sent):
    request = urllib.request.Request(
        address + "api/" + path, json.dumps(sent).encode() if sent else None, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def cells_shown(address, version):
    """Return the labels of the whole image as the page gets them."""
    with urllib.request.urlopen(f"{address}api/tuning/{version}/masks/cells/0/0/0", timeout=60) as answer:
        return np.frombuffer(gzip.decompress(answer.read()), "<u4").reshape(262, 282)[1:-1, 1:-1].astype(np.int32)


@pytest.mark.slow
def test_a_person_finds_settings_and_a_run_with_them_makes_the_cells_that_were_shown(
    page, refusals, dataset, tiny_model, tmp_path
):
    refusals.append(400)
    out = tmp_path / "good.toml"
    with tuned(dataset, tiny_model, out, tmp_path) as address:
        page.goto(address)
        numbers = page.locator("#tuning-numbers")
        expect(numbers).to_contain_text("Found", timeout=60_000)
        status = page.locator("#tuning-status")
        expect(status).to_have_text(re.compile(r"Found in \d"))
        at_first = numbers.inner_text()
        # With the keyboard alone: a slider, then the box of a length.
        slider = page.get_by_label("Maxima threshold: slider").first
        slider.focus()
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        expect(page.locator("#tuning-whole_cell_maxima_threshold")).to_have_value("0.135")
        page.locator("#tuning-expand_cells").fill("1.5")
        expect(numbers).not_to_have_text(at_first)
        expect(page.locator("#tuning")).not_to_have_attribute("aria-busy", "true")
        # What the last setting changed is seen, and no more when the start is shown.
        expect(page.locator("#tuning-touched")).to_be_visible()
        loaded(page)
        assert pixels_of(page, CHANGED) > 100
        page.locator("#tuning-start").click()
        loaded(page)
        assert pixels_of(page, CHANGED) == 0
        page.locator("#tuning-start").click()
        # A value that is refused: it is said that other cells are shown.
        radius = page.locator("#tuning-whole_cell_radius")
        usual = radius.input_value()
        radius.fill("99")
        expect(status).to_have_text("Refused: the cells shown are those of the settings before")
        expect(page.locator("#notice")).to_contain_text("radius is 99")
        radius.fill(usual)
        expect(status).to_have_text(re.compile(r"Found in \d"))
        # Channels wait for a button.
        again = page.locator("#tuning-again")
        page.get_by_text("What the network sees").click()
        page.locator("#tuning-clahe").select_option("off")
        expect(page.locator("#tuning-keep")).to_be_disabled()
        again.click()
        expect(again).to_be_disabled()
        expect(status).to_have_text(re.compile(r"Found in \d"), timeout=60_000)
        loaded(page)
        page.locator("#tuning-keep").click()
        expect(page.locator("#tuning-kept")).to_contain_text(f"--settings {out}")
        shown = cells_shown(address, latest(page))
        page.goto("about:blank")
    kept = tomllib.loads(out.read_text())
    assert kept["whole_cell_maxima_threshold"] == 0.135
    assert kept["expand_cells"] == "1.5um"
    assert kept["clahe"] == "off"
    done = run("segment", "--settings", out, "--no_report", "workspace", dataset)
    assert done.exit_code == 0, done.stderr
    whole = tifffile.imread(dataset / "SEGMASK" / "slide_WholeCellMask.tiff").astype(np.int32)
    left, top, width, height = CROP
    expected = in_area(whole, shapely.box(left, top, left + width, top + height))
    seen = (slice(max(top - 64, 0), top + height + 64), slice(max(left - 64, 0), left + width + 64))
    assert expected.max() > 3
    np.testing.assert_array_equal(shown[seen], expected[seen])


def pixels_of(page, color):
    """Return how many pixels of the picture are of a colour."""
    seen = np.asarray(Image.open(BytesIO(page.locator("#picture").screenshot())).convert("RGB"), int)
    return int((np.abs(seen - color).max(axis=2) < 8).sum())


def latest(page):
    """Return the version of the cells that the page shows."""
    asked = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    return max(int(found[1]) for found in (re.search(r"/tuning/(\d+)/masks/", name) for name in asked) if found)


@pytest.mark.slow
def test_what_is_wrong_is_told_and_nobodys_file_is_replaced(dataset, tiny_model, tmp_path):
    out = tmp_path / "mine.toml"
    with tuned(dataset, tiny_model, out, tmp_path) as address:
        controls = ask(address, "tuning")["controls"]
        values = {one["key"]: one["value"] for one in controls}
        assert not [one["key"] for one in controls if one["kind"] == "number" and one["value"] == ""]
        for wrong, told in (
            ({"nuclear_radius": "99"}, "radius is 99"),
            ({"nuclear_channel": "CD99"}, "CD99"),
            ({"nothing": "1"}, "nothing is no setting"),
            ({"expand_cells": "3 parsecs"}, "is not a length"),
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(address, "tuning/cells", values=values | wrong, crop=list(CROP))
            assert refused.value.code == 400
            assert told in refused.value.read().decode()
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(address, "tuning/cells", values=values, crop=[270, 0, 20, 20])
        assert "the image has 280 x 260 pixels" in refused.value.read().decode()
        found = ask(address, "tuning/cells", values=values, crop=list(CROP))
        assert found["masks"]["cells"]["change"] == {
            "same": found["masks"]["cells"]["count"], "changed": 0, "new": 0, "gone": 0
        }  # fmt: skip
        assert found["masks"]["cells"]["touched"] == []
        # A slider that is moved on and on: what differs from before it was touched; then what growing alone does.
        for threshold in ("0.4", "0.5"):
            values["whole_cell_interior_threshold"] = threshold
            moved = ask(address, "tuning/cells", values=values, crop=list(CROP))["masks"]["cells"]
            assert len(moved["touched"]) == moved["change"]["changed"] + moved["change"]["new"] > 0
        grown = ask(address, "tuning/cells", values=values | {"expand_cells": "1.5um"}, crop=list(CROP))["masks"]
        assert len(grown["cells"]["touched"]) == grown["cells"]["count"]
        assert grown["nuclei"]["touched"] == []
        assert ask(address, "tuning/settings", values=values)["place"] == str(out)
        assert ask(address, "tuning/settings", values=values)["place"] == str(out)  # its own may be replaced
        out.write_text("# mine now")
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(address, "tuning/settings", values=values)
        assert "is not what was written here" in refused.value.read().decode()
    assert out.read_text() == "# mine now"
    run("tune", "--settings_out", out, dataset).explains(str(out), "--overwrite")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--image", "slyde"], "Did you mean 'slide'"),
        (["--region", "1,2,3"], "x,y,width,height"),
        (["--region", "200,200,900,900"], "280 x 260 pixels"),
        (["--settings_out", "nowhere/tuned.toml"], "there is no folder"),
        (["--nuclear_channel", "CD99"], "CD99"),
        (["--statistics", "regions", "--tissue", "auto"], "--statistics image"),
    ],
)
def test_a_wrong_request_is_told(dataset, tiny_model, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    found = run("tune", "--no_browser", "--model_path", tiny_model, *words, dataset)
    assert found.exit_code in (1, 2)
    assert told in found.stderr


def test_a_network_with_nothing_to_tune_is_told(dataset, tmp_path):
    model = tmp_path / "spots.onnx"
    model.write_bytes(seed_network())
    for words in ((), ("--clahe", "off")):
        run("tune", "--no_browser", "--model", model, *words, dataset).explains(
            "whose labels depend on thresholds; this one has none", "--expand_cells", "--regions"
        )


@pytest.mark.slow
def test_the_successor_begins_with_the_values_of_its_authors_and_a_run_with_them_is_what_was_seen(dataset, tmp_path):
    model, out = tmp_path / "torch.onnx", tmp_path / "tuned.toml"
    model.write_bytes(torch_network())
    with tuned(dataset, model, out, tmp_path, "--model", "torch-mesmer") as address:
        values = {one["key"]: one["value"] for one in ask(address, "tuning")["controls"]}
        assert (values["whole_cell_maxima_threshold"], values["nuclear_interior_threshold"]) == ("0.1", "0.075")
        found = ask(address, "tuning/cells", values=values, crop=list(CROP))
        shown = cells_shown(address, found["version"])
        ask(address, "tuning/settings", values=values)
    written = tomllib.loads(out.read_text())
    assert (written["model"], written["whole_cell_maxima_threshold"]) == ("torch-mesmer", 0.1)
    again = tmp_path / "dataset"
    shutil.copytree(dataset / "OMETIFF", again / "OMETIFF")
    assert run("segment", "--settings", out, "workspace", again).statuses == {"slide": "done"}
    cells = tifffile.imread(again / "SEGMASK" / "slide_WholeCellMask.tiff").astype(np.int32)
    left, top, width, height = CROP
    expected = in_area(cells, shapely.box(left, top, left + width, top + height))
    assert expected.max() > 3
    assert np.array_equal(shown > 0, expected > 0)
