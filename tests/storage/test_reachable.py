"""A store that does not answer is told of in seconds."""

import socket
import time

import pytest

from cellscale.errors import RequestError, StorageError
from cellscale.storage.reachable import require_reachable
from cellscale.storage.uri import filesystem


@pytest.fixture
def silent():
    """Yield the port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_no_answer(silent):
    began = time.monotonic()
    with pytest.raises(RequestError, match=r"cannot reach http://127\.0\.0\.1:\d+/dataset: no answer within 1 s"):
        require_reachable([None, f"http://127.0.0.1:{silent}/dataset"], seconds=1)
    assert time.monotonic() - began < 15


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(RequestError, match="the store cannot be reached for now"):
        require_reachable([f"http://127.0.0.1:{port}/dataset"])


def test_what_is_there_or_not_there_is_reached(tmp_path):
    require_reachable([tmp_path, str(tmp_path / "none"), "memory://reachable/nothing"])


@pytest.mark.parametrize("scheme", ["zip", "tar"])
def test_archives_are_no_stores(scheme):
    with pytest.raises(StorageError, match="not read inside of archives: unpack it"):
        filesystem(f"{scheme}://x")
