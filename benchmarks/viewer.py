"""Milliseconds a tile, and seconds until the overview of a large image is on screen, in headless Chromium.

Usage, from the project's root: ``python -m benchmarks.viewer [--size 16384] [--folder FOLDER]``. The image is looked
at with a pyramid and without one; the masks never have one. Nothing is kept from run to run but the images.
"""

import argparse
import shutil
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cellscale.viewer.dataset import Dataset
from cellscale.viewer.overview_cache import OverviewCache
from cellscale.viewer.server import ViewerServer, open_server
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.viewer.datasets import large_dataset

SOMETHING = """() => {
    const canvas = document.querySelector("#picture canvas");
    if (canvas.width === 0) return false;
    const { data } = canvas.getContext("2d").getImageData(0, canvas.height / 8, canvas.width, 8);
    return data.some((value, at) => at % 4 < 3 && value > 0);
}"""
"""Whether the picture is no longer black: overviews are made from the top."""

TILES = [(row, column) for row in range(4, 8) for column in range(4, 8)]


@contextmanager
def served(root: Path) -> Iterator[ViewerServer]:
    """Serve a dataset without any overview of earlier sessions."""
    paths = workspace_paths(root)
    with tempfile.TemporaryDirectory() as cache:
        dataset = Dataset(discover(paths), paths, OverviewCache(Path(cache)))
        with open_server(dataset) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server
            server.shutdown()


def milliseconds(server: ViewerServer, layer: str, level: int) -> tuple[float, float]:
    """Return the median of sixteen tiles, asked for the first time and again."""
    medians = []
    for _ in range(2):
        taken = []
        for row, column in TILES:
            start = time.perf_counter()
            with urllib.request.urlopen(f"{server.url}api/images/0/{layer}/{level}/{row}/{column}") as answer:
                answer.read()
            taken.append((time.perf_counter() - start) * 1e3)
        medians.append(statistics.median(taken))
    return medians[0], medians[1]


def is_final(server: ViewerServer, tile: str) -> bool:
    """Return whether asking for a tile again would give the same."""
    with urllib.request.urlopen(f"{server.url}api/images/0/{tile}") as answer:
        return "X-Incomplete" not in answer.headers


def seconds_to_overview(page: Page, server: ViewerServer) -> tuple[float, float]:
    """Return when the first pixels are on screen, and when the overview of all channels and masks is final."""
    start = time.perf_counter()
    page.goto(server.url)
    page.wait_for_selector("#picture canvas")
    while not page.evaluate(SOMETHING):
        page.wait_for_timeout(10)
    first = time.perf_counter() - start
    page.wait_for_selector("html[data-loaded=true]", state="attached")
    coarsest = page.evaluate("fetch('api/images/0').then(answer => answer.json())")["levels"] - 1
    for layer in ("channels/0", "channels/1", "masks/cells", "masks/nuclei"):
        while not is_final(server, f"{layer}/{coarsest}/0/0"):
            page.wait_for_timeout(20)
    return first, time.perf_counter() - start


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=16384)
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data"))
    options = parser.parse_args()
    words = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=words)
        for pyramid in (True, False):
            root = options.folder / f"viewer-{options.size}-{'pyramid' if pyramid else 'plain'}"
            if not root.is_dir():
                large_dataset(root, size=options.size, pyramid=pyramid)
            print(f"\n{options.size} x {options.size}, {'with' if pyramid else 'without'} a pyramid")
            with served(root) as server:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                first, everything = seconds_to_overview(page, server)
                page.close()
                print(
                    f"  first pixels after {first:.2f} s, channels and masks of the overview after {everything:.2f} s"
                )
                for layer, level in (("channels/0", 0), ("channels/0", 1), ("masks/cells", 0), ("masks/cells", 1)):
                    cold, warm = milliseconds(server, layer, level)
                    print(f"  {layer:12} level {level}: {cold:6.1f} ms a tile, again {warm:6.1f} ms")
        browser.close()


if __name__ == "__main__":
    main()
