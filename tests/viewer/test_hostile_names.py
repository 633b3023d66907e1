"""Names that are made to do harm are only ever shown."""

import os

import numpy as np
import pytest
from playwright.sync_api import expect

from cellscale.images.masks.mask_writer import write_mask
from tests.pipeline.spots import spots, write_image
from tests.viewer.questions import facts

CHANNELS = ["<img src=x onerror=\"document.title='owned'\">", "\"><script>document.title='owned'</script>"]
IMAGE = "x..%2f..&amp;<svg onload=alert(1)> '\"`${1}#?at=1"


@pytest.fixture
def hostile(tmp_path):
    """A dataset of one image whose names are markup."""
    root = tmp_path / "data"
    write_image(root / "OMETIFF" / f"{IMAGE}.ome.tiff", spots((200, 300)), CHANNELS)
    (root / "SEGMASK").mkdir()
    labels = np.zeros((200, 300), np.int32)
    labels[50:90, 60:120] = 4
    write_mask(root / "SEGMASK" / f"{IMAGE}_WholeCellMask.tiff", [labels], labels.shape)
    return root


def test_markup_in_names_is_shown_as_it_is(page, serve, hostile):
    with serve(hostile) as server:
        page.goto(server.url)
        expect(page).to_have_title(f"{IMAGE} · cellscale")
        assert page.locator("#images option").all_inner_texts() == [IMAGE]
        assert page.locator(".channel .name").all_inner_texts() == CHANNELS
        assert page.locator("#panel img, #panel script, #panel svg[onload]").count() == 0
        page.fill("#label", "4")
        page.keyboard.press("Enter")
        expect(page.locator("#selection-title")).to_have_text("Cell 4")
        page.wait_for_timeout(400)
        address = page.url
        page.goto("about:blank")
        page.goto(address)
        expect(page.locator("#selection-title")).to_have_text("Cell 4")


def test_hostile_links_do_nothing(page, serve, hostile):
    with serve(hostile) as server:
        page.goto(
            f"{server.url}#image=<script>&at=NaN,1e999,-3&channels=0.zz,99.ff0000.1.2,0.ff0000..&by=__proto__&picked=x,1"
        )
        expect(page).to_have_title(f"{IMAGE} · cellscale")
        expect(page.locator("#notice")).to_have_text("There is no image <script> in this dataset")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_no_text_is_listed_with_what_is_wrong_with_it(serve, tmp_path):
    folder = tmp_path / "data" / "OMETIFF"
    written = write_image(folder / "plain.ome.tiff", spots((40, 50)))
    try:
        written.rename(folder / os.fsdecode(b"caf\xe9.ome.tiff"))
    except OSError:
        pytest.skip("this file system keeps only names that are text")
    with serve(tmp_path / "data") as server:
        (image,) = facts(server, "dataset")["images"]
        assert image["name"] == "caf\\udce9"
        assert "not UTF-8" in image["problem"]
