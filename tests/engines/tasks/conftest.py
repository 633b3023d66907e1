"""Object stores and datasets in them."""

import pytest

from tests.storage.conftest import gcs_proxy, s3_proxy

__all__ = ["gcs_proxy", "s3_proxy"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A machine that has never worked on anything."""
    monkeypatch.setenv("CELLSCALE_CACHE", str(tmp_path / "cache"))
