"""Datasets that are served, and a browser to look at them."""

import threading
from contextlib import contextmanager

import pytest

from cellscale.viewer.dataset import Dataset
from cellscale.viewer.overview_cache import OverviewCache
from cellscale.viewer.server import open_server
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.browser import browser, page, refusals
from tests.viewer.datasets import measured_dataset

__all__ = ["browser", "page", "refusals"]


@pytest.fixture(scope="session")
def tissue(tmp_path_factory):
    """A dataset of two simulated images with masks and measurements, not to be changed."""
    return measured_dataset(tmp_path_factory.mktemp("viewer") / "tissue")


@pytest.fixture
def serve(tmp_path, request):
    """A context manager that serves a dataset."""
    page = request.getfixturevalue("page") if "page" in request.fixturenames else None

    def leave():
        """Have the browser ask for nothing more: it would tell of a server that is gone."""
        if page is not None and not page.is_closed():
            page.goto("about:blank")

    @contextmanager
    def serving(root):
        paths = workspace_paths(root)
        dataset = Dataset(discover(paths), paths, OverviewCache(tmp_path / "cache"))
        with open_server(dataset) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            try:
                yield server
                leave()
            finally:
                server.shutdown()
                thread.join(30)

    return serving


@pytest.fixture
def served(serve, tissue):
    """A server of the simulated tissue."""
    with serve(tissue) as server:
        yield server
