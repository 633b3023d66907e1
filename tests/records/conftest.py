"""Fixtures of the tests of benchmark records."""

import pytest

from tests.records.bigquery_server import FOLDER, PROJECT, emulator, front


@pytest.fixture(scope="session")
def bigquery_emulator(tmp_path_factory):
    """Address of a BigQuery emulator."""
    if not (FOLDER / "bin" / "bqemulator").exists():
        pytest.skip(f"there is no BigQuery emulator in {FOLDER}; `make test` installs it")
    with emulator(tmp_path_factory.mktemp("bigquery")) as address:
        yield address


@pytest.fixture
def bigquery_front(bigquery_emulator, monkeypatch):
    """The server that Google's client talks to during a test."""
    with front(bigquery_emulator) as server:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.address)
        yield server


@pytest.fixture
def bigquery_dataset(bigquery_front, request):
    """``project.dataset`` of a test's own."""
    from cellscale.records.bigquery import open_client

    name = f"{PROJECT}.{request.node.name.replace('[', '_').replace(']', '')[:80]}"
    open_client(f"{name}.any").create_dataset(name)
    return name
