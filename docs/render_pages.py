"""Render the report, the viewer and tuning for README and documentation, as wide as a desk and as wide as a phone.

Usage, with Chromium and what ``make test`` installs::

    cellscale simulate DATASET --images 2 --size 1024 --seed 1
    cellscale segment-and-measure workspace DATASET
    python docs/render_pages.py DATASET [FOLDER]

Makes ``report.png``, ``report-phone.png``, ``viewer.png``, ``viewer-phone.png``, ``tune.png`` and ``tune-phone.png``.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from cellscale.viewer.dataset import Dataset
from cellscale.viewer.overview_cache import OverviewCache
from cellscale.viewer.server import open_server
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths

DOCS = Path(__file__).parent
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 800}
VIEW = "image=tissue_001&at=600,700,2&by=Cell%3A+PanCK%3A+Mean&cells=filled&opacity=0.5&picked=cells,1357"
"""What the viewer shows, as links of its own tell it."""
COLOURS = 256
"""Of a picture: it takes a quarter of the bytes."""


@contextmanager
def served(dataset: str) -> Iterator[str]:
    """Serve a dataset in the viewer; give its address."""
    paths = workspace_paths(dataset)
    with (
        tempfile.TemporaryDirectory() as cache,
        open_server(Dataset(discover(paths), paths, OverviewCache(Path(cache)))) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def tuned(dataset: str) -> Iterator[str]:
    """Run ``cellscale tune`` on a dataset's first image; give its address."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["tune", "--no_browser", "--settings_out", str(Path(folder) / "tuned.toml"), dataset]
        command = [sys.executable, "-m", "cellscale", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                yield process.stdout.readline().strip()
            finally:
                process.send_signal(signal.SIGINT)


def opened(browser: Browser, size: dict[str, int], scheme: str) -> Page:
    """Open a window in which nothing moves."""
    return browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce").new_page()


def render(page: Page, picture: Path) -> None:
    """Write what is seen, in few colours."""
    seen = Image.open(BytesIO(page.screenshot())).convert("RGB")
    seen.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3).save(picture, optimize=True)


def report(page: Page, dataset: str, picture: Path) -> None:
    """Render the top of the list of images."""
    page.goto((Path(dataset).resolve() / "REPORTS" / "index.html").as_uri())
    page.wait_for_function("[...document.images].every(image => image.complete)")
    render(page, picture)


def viewer(page: Page, address: str, picture: Path) -> None:
    """Render cells coloured by a measurement, one of them selected."""
    page.goto(address)
    page.wait_for_selector("#selection:not([hidden])")
    page.wait_for_selector("#legend:not([hidden])")
    page.wait_for_timeout(1000)
    page.wait_for_selector("html[data-loaded=true]", state="attached")
    render(page, picture)


def tune(page: Page, address: str, picture: Path) -> None:
    """Render a crop of which a threshold has changed some cells."""
    page.goto(address)
    page.wait_for_selector("#tuning-numbers tr", timeout=600_000)
    page.wait_for_selector("#tuning:not([aria-busy=true])", timeout=600_000)
    page.fill("#tuning-whole_cell_maxima_threshold", "0.2")
    page.wait_for_selector("#tuning-touched:not([hidden])", timeout=60_000)
    page.wait_for_timeout(1000)
    page.wait_for_selector("#tuning:not([aria-busy=true])", timeout=60_000)
    page.wait_for_selector("html[data-loaded=true]", state="attached")
    render(page, picture)


def main(dataset: str, folder: str | Path = DOCS) -> None:
    """Write the pictures."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with served(dataset) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for end, size in (("", DESK), ("-phone", PHONE)):
            report(opened(browser, size, "light"), dataset, Path(folder) / f"report{end}.png")
            viewer(opened(browser, size, "dark"), f"{address}#{VIEW}", Path(folder) / f"viewer{end}.png")
        with tuned(dataset) as page:
            tune(opened(browser, DESK, "dark"), page, Path(folder) / "tune.png")
            tune(opened(browser, PHONE, "light"), page, Path(folder) / "tune-phone.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
