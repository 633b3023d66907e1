"""A proxy in front of a server that counts requests and fails some of them, as real services do."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.patience import HANGS

__all__ = ["Proxy"]

_OWN_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Clients may hang up, or be killed."""


class Proxy:
    """Passes requests on to a port of this machine.

    ``requests`` holds the method and path of each; ``fail`` may be set to a function of method, path and body that
    returns
    the status to answer with instead of passing the request on, or None.
    """

    def __init__(self, port):
        self.port = port
        self.requests = []
        self.fail = lambda method, path, body: None
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.host = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def count(self, word, method=None):
        """Return how many requests had a word in their path."""
        return sum(word in path and method in (None, found) for found, path in self.requests)


def _handler(proxy):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def pass_on(self):
            body = self._body()
            proxy.requests.append((self.command, self.path))
            status = proxy.fail(self.command, self.path, body)
            if status is not None:
                self._answer(status, [], b'{"error": {"code": %d, "message": "try again"}}' % status)
                return
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=HANGS)
            # The server makes addresses from the host that it was asked for.
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN_HEADERS}
            headers["Host"] = proxy.host.removeprefix("http://")
            try:
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                self._answer(answer.status, answer.getheaders(), answer.read())
            finally:
                connection.close()

        def _body(self):
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _answer(self, status, headers, content):
            self.send_response(status)
            length = str(len(content))
            for name, value in headers:
                if name.lower() == "content-length" and self.command == "HEAD":
                    length = value
                elif name.lower() not in _OWN_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = pass_on  # noqa: N815

        def log_message(self, *_):
            pass

    return Handler
