"""The viewer's server: for this machine's browsers, and only for those that were told its token."""

import hmac
import logging
import re
import secrets
import socket
import socketserver
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any

from cellscale.errors import RequestError
from cellscale.faults import failure_text
from cellscale.viewer.dataset import Dataset
from cellscale.viewer.responses import Answer, problem
from cellscale.viewer.routes import answer

__all__ = ["ViewerServer", "open_server"]

_log = logging.getLogger(__name__)

_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names under which this machine knows itself. Others lead here only by a page that had its own name point here."""

_AT_WORK = 8
"""Requests that are worked on at once; the others wait, so that memory stays bounded."""

_IDLE_SECONDS = 120

_POSTED = 8 * 2**20
"""Bytes that a browser may send along."""

_STRANGERS = 64
"""Connections that have not shown the token; one more, and the oldest of them is closed. Any account of this machine
may open some, and each has a thread."""

_SILENT_SECONDS = 10.0
"""Time in which a connection must have shown the token; browsers open some that they may need later."""

_FOCUS_STYLE = "'sha256-9xTiqzfwFaL2SGb1rmr8gysEwVVjIvqWAgmZgqFqpEE='"
"""The one style that OpenSeadragon puts into the page."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; script-src 'self'; style-src 'self' {_FOCUS_STYLE}; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ViewerServer(ThreadingHTTPServer):
    """Serves one dataset on the loopback interface.

    Parameters
    ----------
    dataset
        What is shown.
    port
        Port to listen on; any free one if 0.

    Raises
    ------
    OSError
        The port is taken.
    """

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, dataset: Dataset, port: int = 0) -> None:
        self.dataset = dataset
        self.token = secrets.token_urlsafe(24)
        self._ticket = secrets.token_urlsafe(24)
        self.at_work = threading.BoundedSemaphore(_AT_WORK)
        self._connections: set[socket.socket] = set()
        self._strangers: OrderedDict[socket.socket, float] = OrderedDict()
        self._counting = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Address of the page, with the token."""
        return f"http://127.0.0.1:{self.server_address[1]}/{self.token}/"

    @property
    def entrance(self) -> str:
        """Address that leads to the page once: other users see the words that a browser is started with."""
        return f"http://127.0.0.1:{self.server_address[1]}/enter/{self._ticket}"

    def enters(self, ticket: str) -> bool:
        """Tell whether a ticket is the one of the entrance, and make it worthless."""
        is_good = hmac.compare_digest(ticket.encode("latin-1"), self._ticket.encode())
        if is_good:
            self._ticket = secrets.token_urlsafe(24)
        return is_good

    def server_bind(self) -> None:
        """Listen, without asking for this machine's name as ``HTTPServer`` does: that can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection's requests in a thread of its own."""
        self._connections.add(request)
        with self._counting:
            self._strangers[request] = monotonic()
        self._close_strangers()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Close what has been silent for too long; called every half a second."""
        self._close_strangers()

    def welcome(self, connection: socket.socket) -> None:
        """Let a connection stay that has shown the token."""
        with self._counting:
            self._strangers.pop(connection, None)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        self._connections.discard(request)
        self.welcome(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End all connections, also those that browsers keep for later, and wait for what is being answered."""
        for connection in list(self._connections):
            _shut(connection)
        super().server_close()

    def _close_strangers(self) -> None:
        with self._counting:
            late = monotonic() - _SILENT_SECONDS
            while self._strangers:
                connection, since = next(iter(self._strangers.items()))
                if len(self._strangers) <= _STRANGERS and since > late:
                    return
                del self._strangers[connection]
                _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of browsers that went away; tell the log of all else."""
        _log.debug("a connection ended early", exc_info=True)


def _shut(connection: socket.socket) -> None:
    """End a connection; its thread sees that and closes it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def open_server(dataset: Dataset, port: int = 0) -> Iterator[ViewerServer]:
    """Give a server that listens, and close it and its dataset in the end.

    Raises
    ------
    RequestError
        The port is taken, or may not be used.
    """
    try:
        server = ViewerServer(dataset, port)
    except OSError as error:
        dataset.close()
        raise RequestError(f"port {port} cannot be used ({error.strerror}): choose another with --port") from error
    try:
        yield server
    finally:
        server.server_close()
        dataset.close()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    protocol_version = "HTTP/1.1"
    server_version = "cellscale"
    sys_version = ""
    timeout = _IDLE_SECONDS
    server: ViewerServer

    def do_GET(self) -> None:
        """Answer."""
        self._send(self._answer())

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._send(self._answer())

    def do_POST(self) -> None:
        """Answer what comes with a question of its own, once the token is shown."""
        self.close_connection = True  # unless all of it is read
        self._send(self._answer(self._posted))

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: the address has the token."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the base class could not read, or methods other than GET, HEAD and POST."""
        self.close_connection = True
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._send(problem(status, message or status.phrase))

    def _posted(self) -> bytes | None:
        """Return what was sent along; None where it is not JSON of a bearable length."""
        length = self.headers.get("Content-Length", "")
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip()
        if not re.fullmatch("[0-9]{1,10}", length) or int(length) > _POSTED or kind != "application/json":
            return None
        body = self.rfile.read(int(length))
        self.close_connection = self.headers.get("Connection", "").lower() == "close"
        return body

    def _answer(self, posted: Callable[[], bytes | None] | None = None) -> Answer:
        if _host_name(self.headers.get("Host", "")) not in _HOSTS:
            return problem(HTTPStatus.FORBIDDEN, "this server answers only under the name of this machine")
        token, slash, below = self.path.partition("?")[0].removeprefix("/").partition("/")
        if token == "enter" and self.command == "GET" and self.server.enters(below):
            self.server.welcome(self.connection)
            return Answer(b"", "text/plain", HTTPStatus.SEE_OTHER, {"Location": f"/{self.server.token}/"})
        if not hmac.compare_digest(token.encode("latin-1"), self.server.token.encode()):
            return problem(HTTPStatus.FORBIDDEN, "open the address that cellscale view printed when it was started")
        self.server.welcome(self.connection)
        if not slash:
            return Answer(b"", "text/plain", HTTPStatus.PERMANENT_REDIRECT, {"Location": f"/{self.server.token}/"})
        sent = None if posted is None else posted()
        if posted is not None and sent is None:
            return problem(HTTPStatus.BAD_REQUEST, f"JSON of at most {_POSTED} bytes expected")
        try:
            with self.server.at_work:
                return answer(self.server.dataset, below, sent)
        except Exception as error:  # a defect of ours must not leave the browser waiting
            _log.exception("no answer to %r", below)
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, failure_text(error))

    def _send(self, reply: Answer) -> None:
        headers = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body)), **_HEADERS}
        self.send_response(reply.status)
        for name, value in (headers | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)


def _host_name(host: str) -> str:
    """Return the name in a Host header, without the port: a tunnel may lead here from another."""
    return re.sub(r":[0-9]{1,5}$", "", host).lower()
