"""Who is answered, and with what headers."""

import http.client
import json
import socket
import threading
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from cellscale.viewer import server
from tests.patience import HANGS


def ask(server, path=None, *, method="GET", host=None, raw=None, headers=(), body=b""):
    """Ask as any program on this machine could; return status, headers and body."""
    target = raw if raw is not None else f"/{server.token}/{path}"
    lines = [f"{method} {target} HTTP/1.1", "Connection: close", *headers]
    if host != "":
        lines.append(f"Host: {host or f'127.0.0.1:{server.server_port}'}")
    with socket.create_connection(server.server_address, timeout=HANGS) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        return answer.status, dict(answer.getheaders()), answer.read()


@pytest.mark.slow
def test_only_this_machine_can_connect(served):
    assert served.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("path", ["", "viewer.js", "viewer.css", "icon.svg", "api/dataset"])
def test_the_page_is_served_with_headers_that_lock_it_in(served, path):
    status, headers, body = ask(served, path)
    assert status == 200
    assert len(body) == int(headers["Content-Length"]) > 0
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Python" not in headers["Server"]


@pytest.mark.parametrize(
    "target", ["/", "/api/dataset", "/wrong/api/dataset", "/wrong/", "//api/dataset", "/é/", "*"]
)
def test_without_the_token_nothing_is_told(served, target):
    status, _, body = ask(served, raw=target)
    assert status == 403
    assert served.token.encode() not in body
    assert b"tissue" not in body


def test_part_of_the_token_is_not_enough(served):
    assert ask(served, raw=f"/{served.token[:-1]}/api/dataset")[0] == 403
    assert ask(served, raw=f"/{served.token}x/api/dataset")[0] == 403


def test_the_entrance_leads_to_the_page_once(served):
    """A browser's command line can be read by all users of the machine."""
    assert served.token not in served.entrance
    entrance = urlsplit(served.entrance).path
    assert ask(served, raw=entrance, method="HEAD")[0] == 403
    assert ask(served, raw="/enter/wrong")[0] == 403
    status, headers, _ = ask(served, raw=entrance)
    assert (status, headers["Location"]) == (303, f"/{served.token}/")
    assert ask(served, raw=entrance)[0] == 403
    assert urlsplit(served.entrance).path != entrance


def test_each_server_has_a_token_of_its_own(serve, tissue):
    with serve(tissue) as one, serve(tissue) as other:
        assert one.token != other.token
        assert len(one.token) >= 32


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "localhost.evil:1"]
)
def test_a_page_that_points_its_own_name_here_is_refused(served, host):
    assert ask(served, "api/dataset", host=host)[0] == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "LOCALHOST", "[::1]:80"])
def test_names_of_this_machine_are_answered_at_any_port(served, host):
    assert ask(served, "api/dataset", host=host)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "../server.py",
        "..%2fserver.py",
        "static/index.html",
        "viewer.js/",
        "LICENSE-openseadragon.txt",
        "/etc/passwd",
        "api/images/0/../../../../etc/passwd",
        "api",
        "api/images/7",
        "api/images/0/channels/9",
        "api/images/0/measurements/99999",
    ],
)
def test_nothing_but_the_viewers_own_is_found(served, path):
    status, _, body = ask(served, path)
    assert status == 404
    assert "error" in json.loads(body)


@pytest.mark.parametrize(
    "tile",
    [
        "channels/x/0/0/0",
        "channels/0/-1/0/0",
        "channels/0/0/0/",
        "channels/0/0/0/1e3",
        "channels/0/99/0/0",
        "channels/0/0/2/0",
        "channels/0/0/0/99999",
        "channels/0/0/0/99999999999999999999",
        "channels/0/٣/0/0",
        "channels/0/0/0/%30",
        "masks/cytoplasm/0/0/0",
        "masks/cells/0/0/x",
        "masks/cells/77/0/0",
        "objects/cells/one",
    ],
)
def test_a_malformed_request_is_a_400_with_a_reason(served, tile):
    status, headers, body = ask(served, f"api/images/0/{tile}")
    assert status == 400
    assert headers["Content-Type"] == "application/json"
    assert b"Traceback" not in body
    assert json.loads(body)["error"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(served, method):
    assert ask(served, "api/dataset", method=method)[0] == 405


def test_head_answers_without_a_body(served):
    status, headers, body = ask(served, "api/dataset", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


def test_closing_waits_for_no_idle_browser(serve, tissue):
    with serve(tissue) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=HANGS)
        connection.request("GET", f"/{server.token}/api/images/0")
        assert connection.getresponse().read()
        threads = threading.active_count()
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert threading.active_count() < threads
    connection.close()


def test_the_address_without_its_slash_leads_to_the_page(served):
    status, headers, _ = ask(served, raw=f"/{served.token}")
    assert (status, headers["Location"]) == (308, f"/{served.token}/")


@pytest.mark.slow
def test_silent_connections_lock_nobody_out(served):
    """Any account of this machine may open them."""

    def connection():
        return opened.enter_context(socket.create_connection(served.server_address, timeout=HANGS))

    with ExitStack() as opened:
        browser = http.client.HTTPConnection("localhost")
        browser.sock = connection()
        assert status(browser, f"/{served.token}/api/dataset") == 200
        silent = [connection() for _ in range(200)]
        silent[150].sendall(b"GET / HTTP/1.1\r\n")
        assert ask(served, "api/dataset")[0] == 200
        assert silent[0].recv(1) == b"", "the oldest ones are closed"
        assert sum(thread.name.startswith("Thread-") for thread in threading.enumerate()) < 120
        assert status(browser, f"/{served.token}/api/dataset") == 200, "who has the token stays"


def status(connection, path):
    connection.request("GET", path)
    with connection.getresponse() as response:
        response.read()
        return response.status


@pytest.mark.slow
def test_what_says_nothing_to_the_point_is_closed(served, monkeypatch):
    monkeypatch.setattr(server, "_SILENT_SECONDS", 1.0)
    start = time.monotonic()
    with socket.create_connection(served.server_address, timeout=HANGS) as slow:
        slow.settimeout(0.3)
        while True:
            assert time.monotonic() - start < 8
            try:
                slow.sendall(b"X")  # a byte now and then, never a whole request
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - start > 0.8


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (["Content-Type: text/plain", "Content-Length: 2"], b"{}", 400),  # as any page may send it
        (["Content-Type: application/json"], b"", 400),
        (["Content-Type: application/json", "Content-Length: 99999999"], b"", 400),
        (["Content-Type: application/json", "Content-Length: -2"], b"{}", 400),
        (["Content-Type: application/json", "Content-Length: 2"], b"{]", 400),
        (["Content-Type: application/json; charset=utf-8", "Content-Length: 2"], b"{}", 404),  # nothing is tuned
    ],
)
def test_what_is_sent_along_is_json_of_a_bearable_length(served, headers, body, status):
    found, _, told = ask(served, "api/tuning/cells", method="POST", headers=headers, body=body)
    assert found == status
    assert json.loads(told)["error"]


def test_nobody_sends_anything_without_the_token(served):
    headers = ["Content-Type: application/json", "Content-Length: 2"]
    assert ask(served, raw="/wrong/api/tuning/cells", method="POST", headers=headers, body=b"{}")[0] == 403
    other = {"method": "POST", "headers": headers, "body": b"{}", "host": "example.com"}
    assert ask(served, "api/tuning/cells", **other)[0] == 403
