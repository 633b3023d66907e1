"""The documentation site: it builds without a warning, and a reader's browser asks for nothing from outside."""

import re
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from cellscale.cli.main import cellscale
from tests.docs.places import ROOT

PHONE = {"width": 390, "height": 844}
LOADING = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
"""Elements that load what an attribute of theirs names."""


class Resources(HTMLParser):
    """Collects what a page loads."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "link" and named.get("rel") not in {"canonical", "prev", "next", "edit"}:
            self.found.append(named.get("href", ""))
        elif tag in LOADING and named.get(LOADING[tag]):
            self.found.append(named[LOADING[tag]])


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built as ``make docs`` builds it."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_loads_nothing_from_other_machines(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        resources = Resources()
        resources.feed(page.read_text(encoding="utf-8"))
        assert resources.found
        assert not [url for url in resources.found if urlsplit(url).netloc], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_the_reference_has_every_command_and_option(site):
    text = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    for name in cellscale.list_commands(None):
        assert f'id="{name}"' in text
    for words in ('id="models-fetch"', 'id="segment-and-measure-workspace"', "--whole_cell_maxima_threshold"):
        assert words in text


def test_the_reference_has_the_python_interface(site):
    text = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in ("cellscale.segment", "cellscale.measure", "cellscale.open_image", "cellscale.errors.RequestError"):
        assert f'id="{name}"' in text


def test_the_packages_page_has_every_module(site):
    text = (site / "packages.html").read_text(encoding="utf-8")
    for file in (ROOT / "src" / "cellscale").rglob("*.py"):
        name = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        assert f'id="{name}"' in text or name in {"cellscale", "cellscale.__main__"}


def test_the_picture_of_the_journey_leads_to_modules(site):
    drawn = re.search(
        r'<div class="journey">.*?</svg>', (site / "journey.html").read_text(encoding="utf-8"), re.DOTALL
    )
    places = re.findall(r'href="packages.html#([^"]+)"', drawn[0])
    text = (site / "packages.html").read_text(encoding="utf-8")
    assert len(places) > 50
    assert not [place for place in places if f'id="{place}"' not in text]
    # What a room hands out is followed to the module behind the door.
    assert "<title>write_mask</title>" in drawn[0] or "<title>write_label_zarr</title>" in drawn[0]
    assert "<title>flood, seed_open_sides</title>" in drawn[0]


def test_holds_no_programs_of_the_project(site):
    assert not list(site.rglob("*.py"))


@pytest.mark.parametrize(
    "name", ["index", "install", "journey", "packages", "postprocessing", "reference/cli", "reference/python"]
)
def test_reads_well_on_a_phone(address, page, name):
    page.set_viewport_size(PHONE)
    page.goto(f"{address}/{name}.html", wait_until="networkidle")
    assert page.locator("h1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_is_searched_in_the_browser(address, page):
    page.goto(f"{address}/index.html", wait_until="networkidle")
    page.keyboard.press("/")
    page.get_by_role("textbox", name="Search").press_sequentially("interior_threshold")
    page.locator('.md-search-result__link[href*="postprocessing.html"]').first.wait_for()


def test_tabs_show_the_readers_system(address, page):
    page.goto(f"{address}/install.html", wait_until="networkidle")
    page.get_by_text("Windows", exact=True).click()
    assert page.get_by_text("py -3.13 -m venv venv").is_visible()
