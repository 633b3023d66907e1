"""A web server of this machine that gives files, whole or in part, to those who have a password or a signature."""

import base64
import re
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

__all__ = ["guarded_server"]


class _Handler(SimpleHTTPRequestHandler):
    user, secret = "someone", ""

    def log_message(self, *words):
        """Say nothing."""

    def send_head(self):
        basic = "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
        signatures = parse_qs(urlsplit(self.path).query).get("sig", [])
        if self.headers.get("Authorization") != basic and self.secret not in signatures:
            self.send_error(401)
            return None
        path = Path(self.translate_path(self.path))
        wanted = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted or not path.is_file():
            return super().send_head()
        content = path.read_bytes()
        first, last = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        return BytesIO(content[first : last + 1])


@contextmanager
def guarded_server(folder, secret):
    """Serve a folder; gives ``host:port``."""
    kind = type("_Guarded", (_Handler,), {"secret": secret})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(kind, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
