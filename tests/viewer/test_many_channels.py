"""Forty channels, and a threshold on a measurement."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.pipeline.spots import write_image
from tests.viewer.questions import facts, numbers
from tests.viewer.views import canvas, look, view

NAMES = ["DAPI", *(f"CD{number}" for number in range(1, 40))]


@pytest.fixture
def panel(tmp_path):
    """A dataset with an image of forty channels."""
    planes = np.random.default_rng(1).integers(0, 999, (40, 64, 64)).astype(np.uint16)
    write_image(tmp_path / "OMETIFF" / "panel.ome.tiff", planes, NAMES)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 800), (390, 800)], ids=["desk", "phone"])
def test_forty_channels_are_filtered_and_scroll_by_themselves(page, serve, panel, size):
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    with serve(panel) as server:
        look(page, server.url)
        names = page.locator("#channels li:not([hidden]) .name")
        assert names.count() == 40
        box = page.locator("#channels").bounding_box()
        assert box["height"] <= 0.35 * size[1]
        page.fill("#channel-filter", "cd3")
        assert names.all_inner_texts() == ["CD3", *(f"CD{number}" for number in range(30, 40))]
        page.fill("#channel-filter", "cd99")
        expect(page.locator("#channels-none")).to_be_visible()
        page.fill("#channel-filter", "")
        page.locator("#picture").click()
        for key, channel in (("Shift+Digit0", 10), ("Shift+Digit9", 19), ("1", 1)):
            toggled = page.locator("#channels input[type=checkbox]").nth(channel - 1)
            before = toggled.is_checked()
            page.keyboard.press(key)
            expect(toggled).to_be_checked(checked=not before)


@pytest.mark.slow
def test_a_threshold_counts_cells_and_colours_those_that_reach_it(page, served):
    names = facts(served, "images/0")["measurements"]
    place = names.index("Nucleus: DAPI: Mean")
    values, _ = numbers(served, f"images/0/measurements/{place}", "<f4")
    values = values[np.isfinite(values)]
    threshold = float(np.median(values))
    by = "Nucleus%3A+DAPI%3A+Mean"
    look(page, f"{served.url}#image=tissue_001&channels=&by={by}&cells=filled&nuclei=off&opacity=1")
    expect(page.locator("#threshold-share")).to_be_hidden()
    coloured = canvas(page)
    page.fill("#threshold", str(threshold))
    count = int((values >= np.float32(threshold)).sum())
    share = f"{100 * count / len(values):.1f}"
    expect(page.locator("#threshold-share")).to_have_text(f"{count:,} of {len(values):,} cells ({share} %)")
    above = canvas(page)

    def grey(picture):
        return int((np.ptp(picture[..., :3], axis=2) == 0).sum())

    assert grey(above) > 1.5 * grey(coloured)
    assert view(page)["from"] == str(threshold)
    page.reload()
    expect(page.locator("#threshold-share")).to_contain_text(f"{count:,} of")
    page.fill("#threshold", "")
    expect(page.locator("#threshold-share")).to_be_hidden()
