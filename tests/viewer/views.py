"""What a person sees in the viewer, and where she clicks."""

import base64
import csv
import re
import time

import numpy as np

from cellscale.images.masks.mask_reader import open_mask
from tests.patience import HANGS

__all__ = ["a_cell", "canvas", "click_pixel", "loaded", "look", "shown_row", "smooth", "table", "view", "viewed"]


def look(page, address):
    """Open an address and wait until all of the view is drawn."""
    page.goto(address)
    loaded(page)


def loaded(page):
    page.wait_for_timeout(50)
    page.wait_for_selector("html[data-loaded=true]", state="attached")


def canvas(page):
    """Return the picture as it is on screen, (rows, columns, 4), from 0 to 255."""
    page.wait_for_timeout(150)  # a frame in which changes are drawn
    loaded(page)
    width, height, data = page.evaluate(
        """() => {
            const canvas = document.querySelector("#picture canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let text = "";
            for (let at = 0; at < data.length; at += 8192)
                text += String.fromCharCode(...data.subarray(at, at + 8192));
            return [canvas.width, canvas.height, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4).astype(int)


def smooth(picture):
    """Return the means of squares, which a shift by a part of a pixel hardly changes."""
    rows, columns = (size // 16 for size in picture.shape[:2])
    return picture[: rows * 16, : columns * 16, :3].reshape(rows, 16, columns, 16, 3).mean(axis=(1, 3))


def view(page):
    """Return what the address tells of the view."""
    page.wait_for_timeout(350)  # the address follows when movement has stopped
    found = dict(re.findall(r"[#&]([a-z]+)=([^&]*)", page.url))
    x, y, zoom = map(float, found["at"].split("%2C"))
    return found | {"x": x, "y": y, "zoom": zoom}


def viewed(page, condition):
    """Wait until something is true of the view, and return it: the browser hears of the wheel later."""
    end = time.monotonic() + HANGS
    while not condition(found := view(page)):
        assert time.monotonic() < end, f"waited in vain, with {found}"
    return found


def click_pixel(page, x, y):
    """Click on a pixel of the image."""
    box = page.locator("#picture").bounding_box()
    at = view(page)
    page.mouse.click(
        box["x"] + box["width"] / 2 + (x + 0.5 - at["x"]) * at["zoom"],
        box["y"] + box["height"] / 2 + (y + 0.5 - at["y"]) * at["zoom"],
    )


def shown_row(page):
    """Return the measurements that the panel shows."""
    rows = page.locator("#values tr").all_inner_texts()
    return dict(row.split("\t") for row in rows)


def table(dataset, image):
    """Return the rows of the tab-separated table by object ID."""
    with (dataset / "REPORTS" / f"{image}_QUANT.tsv").open(encoding="utf-8", newline="") as file:
        return {row["Object ID"]: row for row in csv.DictReader(file, delimiter="\t")}


def a_cell(dataset, image, inside):
    """Return the label of a cell near a pixel, and a pixel in its middle."""
    with open_mask(dataset / "SEGMASK" / f"{image}_WholeCellMask.tiff") as mask:
        labels = mask.read(mask.info.region)
    window = labels[inside - 40 : inside + 40, inside - 40 : inside + 40]
    label = int(np.bincount(window[window > 0]).argmax())
    rows, columns = np.nonzero(labels == label)
    middle = np.argmin(np.hypot(rows - rows.mean(), columns - columns.mean()))
    return label, int(columns[middle]), int(rows[middle])
