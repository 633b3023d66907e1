"""The viewer in a real browser: what a person does, and what she then sees."""

import re

import numpy as np
import pytest
import tifffile
from playwright.sync_api import expect

from cellscale.images.masks.mask_reader import open_mask
from cellscale.regions import Region
from tests.cli.runs import run
from tests.viewer.questions import label_tile
from tests.viewer.views import a_cell, canvas, click_pixel, loaded, look, shown_row, smooth, table, view, viewed


def test_the_page_shows_the_image_with_its_facts(page, served):
    look(page, served.url)
    assert page.title() == "tissue_001 · cellscale"
    assert page.locator("#facts").inner_text().startswith("640 × 640 px · 0.5 µm/px")
    assert page.locator(".channel .name").all_inner_texts() == ["DAPI", "Membrane", "CD3"]
    assert [box.is_checked() for box in page.locator(".channel input[type=checkbox]").all()] == [True, True, False]
    picture = canvas(page)
    assert (picture[..., :3].max(axis=(0, 1)) > 150).all()
    assert re.fullmatch(r"\d+ µm", page.locator("#scale-text").inner_text())


def test_panning_and_zooming_with_mouse_and_keys(page, served):
    look(page, served.url)
    first = view(page)
    box = page.locator("#picture").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.wheel(0, -400)
    zoomed = viewed(page, lambda now: now["zoom"] > first["zoom"])
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 300, steps=5)
    page.mouse.up()
    viewed(page, lambda now: now["x"] > zoomed["x"])
    for key, moved in (("ArrowRight", "x"), ("ArrowDown", "y")):
        before = view(page)[moved]
        page.keyboard.press(key)
        viewed(page, lambda now, moved=moved, before=before: now[moved] > before)
    page.keyboard.press("-")
    viewed(page, lambda now: now["zoom"] < zoomed["zoom"])
    page.keyboard.press("0")
    viewed(page, lambda now: now["zoom"] == pytest.approx(first["zoom"]))
    page.click("#zoom-in")
    viewed(page, lambda now: now["zoom"] > first["zoom"])


def test_pixels_on_screen_are_those_of_the_image(page, served, tissue):
    look(page, f"{served.url}#image=tissue_001&at=320.5,320.5,8&channels=0.ff0000.0.65535&cells=off&nuclei=off")
    picture = canvas(page)
    pixels = tifffile.imread(tissue / "OMETIFF" / "tissue_001.ome.tiff")[0]
    middle = picture.shape[0] // 2, picture.shape[1] // 2
    for row, column in ((0, 0), (-5, 9), (20, -30)):
        expected = round(pixels[320 + row, 320 + column] / 65535 * 255)
        red, green, blue, _ = picture[middle[0] + 8 * row, middle[1] + 8 * column]
        assert (red, green, blue) == (pytest.approx(expected, abs=1), 0, 0)


def test_channels_are_toggled_and_coloured(page, served):
    look(page, f"{served.url}#image=tissue_001&cells=off&nuclei=off")
    boxes = page.locator(".channel input[type=checkbox]")
    boxes.nth(1).uncheck()
    nucleus = canvas(page)
    assert nucleus[..., 2].max() == 255
    assert not nucleus[..., :2].any()
    page.keyboard.press("1")
    assert not canvas(page)[..., :3].any()
    page.keyboard.press("3")
    assert boxes.nth(2).is_checked()
    page.locator(".channel input[type=color]").nth(2).fill("#ffffff")
    white = canvas(page)
    assert white[..., :3].max() == 255
    np.testing.assert_array_equal(white[..., 0], white[..., 2])


def test_contrast_is_changed_and_reset(page, served):
    look(page, f"{served.url}#image=tissue_001&cells=off&nuclei=off")
    before = canvas(page)
    page.locator(".contrast input").nth(1).fill("65000")
    assert canvas(page)[..., 2].mean() < 0.7 * before[..., 2].mean()
    page.locator(".contrast button").nth(0).click()
    np.testing.assert_array_equal(canvas(page), before)


def test_outlines_and_fills_follow_the_labels(page, served, tissue):
    _, x, y = a_cell(tissue, "tissue_001", 320)
    address = f"{served.url}#image=tissue_001&at={x + 0.5},{y + 0.5},8&channels=&nuclei=off"
    look(page, f"{address}&cells=outlines")
    picture = canvas(page)
    inside = tuple(size // 2 for size in picture.shape[:2])
    assert not picture[inside][:3].any()
    assert (picture[..., :3].min(axis=2) > 150).any()
    page.locator("#modes label", has_text="Filled").first.click()
    assert canvas(page)[inside][:3].max() > 50
    page.keyboard.press("c")
    assert not canvas(page)[..., :3].any()
    page.keyboard.press("n")
    assert canvas(page)[..., :3].any()


def test_a_click_shows_the_row_that_is_in_the_table(page, served, tissue):
    label, x, y = a_cell(tissue, "tissue_001", 300)
    look(page, served.url)
    click_pixel(page, x, y)
    page.wait_for_selector("#selection:not([hidden])")
    assert page.locator("#selection-title").inner_text() == f"Cell {label}"
    identity = page.locator("#selection-facts").inner_text().rpartition("ID ")[2]
    row = table(tissue, "tissue_001")[identity]
    shown = shown_row(page)
    assert len(shown) > 80
    for name, value in shown.items():
        assert value == (row[name] or "–"), name
    page.fill("#selection-filter", "nucleus area")
    assert page.locator("#values tr:visible").count() == 2
    page.locator("#selection-close").click()
    assert page.locator("#selection").is_hidden()


def test_cells_are_coloured_by_a_measurement(page, served, tissue):
    _, x, y = a_cell(tissue, "tissue_001", 300)
    look(page, f"{served.url}#image=tissue_001&at={x + 0.5},{y + 0.5},8&channels=&nuclei=off&opacity=1")
    page.fill("#measurement", "Cell: Area µm^2")
    page.wait_for_selector("#legend:not([hidden])")
    assert page.locator("#legend-name").inner_text() == "Cell: Area µm^2"
    areas = sorted(float(row["Cell: Area µm^2"]) for row in table(tissue, "tissue_001").values())
    low, high = (float(page.locator(f"#legend-{end}").input_value()) for end in ("low", "high"))
    assert areas[0] <= low < high <= areas[-1]
    picture = canvas(page)
    middle = tuple(size // 2 for size in picture.shape[:2])
    assert tuple(picture[middle][:3]) != (0, 0, 0)
    page.fill("#legend-low", str(areas[-1] + 1))
    page.fill("#legend-high", str(areas[-1] + 2))
    page.locator("#legend-high").blur()
    page.fill("#legend-low", str(areas[-1]))
    page.locator("#legend-low").blur()
    assert tuple(canvas(page)[middle][:3]) == (0x44, 0x01, 0x54)  # the lowest colour of viridis
    page.fill("#measurement", "")
    page.wait_for_selector("#legend", state="hidden")


def test_going_to_a_cell_by_its_label(page, served, tissue):
    label, x, y = a_cell(tissue, "tissue_001", 500)
    look(page, served.url)
    page.keyboard.press("g")
    page.keyboard.type(str(label))
    page.keyboard.press("Enter")
    page.wait_for_selector("#selection:not([hidden])")
    assert page.locator("#selection-title").inner_text() == f"Cell {label}"
    at = view(page)
    assert np.hypot(at["x"] - x, at["y"] - y) < 5
    assert at["zoom"] >= 3
    page.fill("#label", "999999")
    page.keyboard.press("Enter")
    page.wait_for_selector("#notice.wrong:not([hidden])")
    assert "999999" in page.locator("#notice").inner_text()


def test_the_link_leads_to_the_very_view(page, served, tissue, browser):
    label, _, _ = a_cell(tissue, "tissue_002", 300)
    look(page, served.url)
    page.keyboard.press("]")
    expect(page).to_have_title("tissue_002 · cellscale")
    loaded(page)
    page.locator(".channel input[type=checkbox]").nth(2).check()
    page.fill("#measurement", "Cell: CD3: Mean")
    page.wait_for_selector("#legend:not([hidden])")
    page.keyboard.press("Tab")
    page.fill("#label", str(label))
    page.keyboard.press("Enter")
    page.wait_for_selector("#selection:not([hidden])")
    there, seen = view(page), canvas(page)
    address = page.url
    page.goto("about:blank")
    look(page, address)
    page.wait_for_selector("#selection:not([hidden])")
    page.wait_for_selector("#legend:not([hidden])")
    assert view(page) == there
    np.testing.assert_allclose(smooth(canvas(page)), smooth(seen), atol=20)


def test_next_and_previous_image_keep_the_channels(page, served):
    look(page, served.url)
    assert page.locator("#previous").is_disabled()
    page.locator(".channel input[type=checkbox]").nth(2).check()
    page.click("#next")
    expect(page).to_have_title("tissue_002 · cellscale")
    loaded(page)
    assert page.locator(".channel input[type=checkbox]").nth(2).is_checked()
    assert page.locator("#next").is_disabled()
    page.select_option("#images", label="tissue_001")
    expect(page).to_have_title("tissue_001 · cellscale")
    loaded(page)


def test_dark_and_light_and_the_list_of_keys(page, served):
    look(page, served.url)
    background = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    page.keyboard.press("t")
    assert page.evaluate(background) != before
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()


def test_a_phone_has_room_for_picture_and_panel(page, served):
    page.set_viewport_size({"width": 360, "height": 740})
    look(page, served.url)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    picture, panel = (page.locator(part).bounding_box() for part in ("#picture", "#panel"))
    assert picture["width"] == panel["width"] == 360
    assert picture["height"] > 300
    page.click("#panel-toggle")
    assert page.locator("#picture").bounding_box()["height"] == 740


def test_a_real_image(page, serve, shared, tmp_path, tiny_model):
    root = tmp_path / "data"
    (root / "OMETIFF").mkdir(parents=True)
    (root / "OMETIFF" / "TissueSample.ome.tiff").symlink_to(shared / "data/workspace/OMETIFF/TissueSample.ome.tiff")
    assert run("segment-and-measure", "--no_report", "--model_path", tiny_model, "workspace", root).exit_code == 0
    with serve(root) as server:
        look(page, server.url)
        assert canvas(page)[..., :3].max() > 200
        label, x, y = a_cell(root, "TissueSample", 200)
        click_pixel(page, x, y)
        expect(page.locator("#selection-title")).to_have_text(f"Cell {label}")
        identity = page.locator("#selection-facts").inner_text().rpartition("ID ")[2]
        row = table(root, "TissueSample")[identity]
        assert all(value == (row[name] or "–") for name, value in shown_row(page).items())


@pytest.mark.slow
def test_a_gigantic_image_from_the_whole_to_one_cell(page, serve, large):
    with serve(large) as server:
        look(page, server.url)
        assert page.locator("#facts").inner_text().startswith("16,384 × 16,384 px")
        assert canvas(page)[..., :3].max() > 100
        page.fill("#label", "70000")
        page.keyboard.press("Enter")
        page.wait_for_selector("#selection:not([hidden])")
        at = view(page)
        x, y = int(at["x"]), int(at["y"])
        with open_mask(large / "SEGMASK" / "large_WholeCellMask.tiff") as mask:
            assert mask.read(Region(y, x, y + 1, x + 1)) == 70000
        click_pixel(page, x + 32, y)
        expect(page.locator("#selection-title")).to_have_text("Cell 70001")
        page.fill("#measurement", "Nucleus: DAPI: Mean")
        page.wait_for_selector("#legend:not([hidden])")
        page.keyboard.press("Tab")
        page.keyboard.press("0")
        while not label_tile(server, "cells", 5, 0, 0, 512)[1]:
            page.wait_for_timeout(200)
        page.wait_for_timeout(1000)
        assert canvas(page)[100:-100, 300:-300, 1].mean() > 30
