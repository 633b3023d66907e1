"""480 requests of strangers to the viewer: none learns anything, none changes anything, none ends it."""

import json
from itertools import product

import pytest

from tests.viewer.conftest import serve, tissue
from tests.viewer.test_server import ask

__all__ = ["serve", "tissue"]

pytestmark = pytest.mark.hostile

PATHS = (
    "", "api/dataset", "viewer.js", "api/images/0", "api/images/0/channels/0/0/0/0", "api/images/0/masks/cells/0/0/0",
    "../server.py", "..%2f..%2fetc/passwd", "%00", "api/images/99999999999999999999", "api/images/-1",
    "api/images/0/channels/0/0/0/" + "9" * 500, "api/<script>", "static/../../x", "//evil.example/",
    "api/images/%c3%28",
)  # fmt: skip
HOSTS = ("127.0.0.1", "localhost:1", "evil.example", "127.0.0.1.evil.example", "")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "BREW")
REQUESTS = list(product(PATHS, HOSTS, METHODS))
OWN = HOSTS[:2]


def test_there_are_as_many_as_are_said():
    assert len(REQUESTS) == 480


def test_strangers(serve, tissue):
    before = {file: file.stat().st_mtime_ns for file in tissue.rglob("*") if file.is_file()}
    with serve(tissue) as server:
        for path, host, method in REQUESTS:
            for known in (True, False):
                target = f"/{server.token if known else 'x' * len(server.token)}/{path}"
                status, headers, body = ask(server, method=method, host=host, raw=target)
                what = (path, host, method, known, status)
                assert status < 500 or (status == 501 and method not in ("GET", "HEAD")), what
                assert server.token.encode() not in body, what
                assert b"Traceback" not in body, what
                assert b"root:" not in body, what
                if method not in ("GET", "HEAD"):
                    assert status in (403, 405, 501), what
                elif not known or host not in OWN:
                    assert status == 403, what
                if status >= 400:
                    assert "Python" not in headers.get("Server", ""), what
        assert json.loads(ask(server, "api/dataset")[2])["images"]
    assert {file: file.stat().st_mtime_ns for file in tissue.rglob("*") if file.is_file()} == before
