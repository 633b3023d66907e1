"""A real browser for tests of pages: import ``browser`` and ``page`` into a ``conftest.py``."""

import os
import shutil
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.patience import HANGS

__all__ = ["browser", "page"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OWN = {"127.0.0.1", "localhost", ""}
"""Where a page may ask for something: this machine, and files, data and blobs, which have no host."""

expect.set_options(timeout=1000 * HANGS)


# Not for the session: while Playwright runs, nothing else may run an event loop in this thread, as other tests do.
@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; ``make test`` installs it where it may."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("no Chromium is installed here: run 'apt-get install chromium' as root")
    words = ["--disable-gpu", *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=words, timeout=1000 * HANGS)
        yield chromium
        chromium.close()


@pytest.fixture
def refusals():
    """HTTP status codes that a test has the server answer with: browsers write them to the console."""
    return []


@pytest.fixture
def page(browser, refusals):
    """A page that may neither write errors to the console nor ask other machines for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(1000 * HANGS)
    opened = context.new_page()
    problems = []
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", lambda request: _check(request.url, problems))
    yield opened
    context.close()
    assert not [problem for problem in problems if not any(f"a status of {code}" in problem for code in refusals)]


def _check(url, problems):
    if (urlsplit(url).hostname or "") not in _OWN:
        problems.append(f"asked for {url}")
