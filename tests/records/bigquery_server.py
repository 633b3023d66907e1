"""A BigQuery emulator with the manners of the real service that it lacks.

The emulator knows tables, schemas and loads. In front of it stands a small server that passes everything on, and
does what the emulator does not: it refuses a second job of a name with 409 as BigQuery does (the emulator would load
the rows again), knows finished jobs, and refuses requests when a test wants it to.
"""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

from tests.patience import HANGS

__all__ = ["Front", "emulator", "front"]

FOLDER = Path(__file__).resolve().parents[2] / "build" / "environments" / "bigquery-emulator"
PROJECT = "demo"
_JOB = re.compile(r"/bigquery/v2/projects/[^/]+/jobs/([^/?]+)")
_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Front(ThreadingHTTPServer):
    """The server in front of the emulator at ``target``."""

    def __init__(self, target):
        self.target = target
        self.jobs = {}
        self.sessions = {}
        self.asked = []
        self.refusals = []
        self.lock, self.loading = Lock(), Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def refuse(self, code, reason, message="", *, of="/upload/"):
        """Refuse the next request for a path that begins so."""
        self.refusals.append((of, code, reason, message))

    def refusal(self, path):
        with self.lock:
            for found in self.refusals:
                if path.startswith(found[0]):
                    self.refusals.remove(found)
                    return found[1:]
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - named by the standard library

    def log_message(self, *words):
        """Say nothing."""

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append(f"{self.command} {self.path}")
        refusal = self.server.refusal(self.path)
        if refusal is not None:
            self._refuse(*refusal)
        elif self.command == "GET" and (job := _JOB.match(self.path)) and job[1] in self.server.jobs:
            self._send(200, self.server.jobs[job[1]], {"content-type": "application/json"})
        elif self.path.startswith("/upload/"):
            self._upload(body)
        else:
            self._send(*self._forward(body))

    def _upload(self, body):
        """Pass an upload on, and note which job it is."""
        if self.command == "POST":
            code, content, headers = self._forward(body)
            if code == 200:
                self.server.sessions[_upload_id(headers["location"])] = json.loads(body)["jobReference"]["jobId"]
            self._send(code, content, headers)
            return
        name = self.server.sessions[_upload_id(self.path)]
        with self.server.loading:
            if name in self.server.jobs:
                self._refuse(409, "duplicate", f"Already Exists: Job {name}")
                return
            code, content, headers = self._forward(body)
            if code == 200:
                self.server.jobs[name] = content
        self._send(code, content, headers)

    def _forward(self, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        question = urllib.request.Request(
            self.server.target + self.path, data=body or None, headers=headers, method=self.command
        )
        try:
            answer = urllib.request.urlopen(question, timeout=HANGS)
        except urllib.error.HTTPError as error:
            answer = error
        with closing(answer):
            kept = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return answer.status, answer.read(), kept

    def _refuse(self, code, reason, message):
        error = {
            "code": code,
            "message": message or reason,
            "errors": [{"reason": reason, "message": message or reason}],
        }
        self._send(code, json.dumps({"error": error}).encode(), {"content-type": "application/json"})

    def _send(self, code, content, headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value.replace(self.server.target, self.server.address))
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _upload_id(address):
    return parse_qs(urlsplit(address).query)["upload_id"][0]


@contextmanager
def emulator(folder):
    """Run the emulator and give its address."""
    port, other = _free_port(), _free_port()
    words = [FOLDER / "bin" / "bqemulator", "start", "--project", PROJECT]
    words += ["--rest-port", str(port), "--grpc-port", str(other), "--log-level", "error"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            list(map(str, words)), stdout=log, stderr=log, env={**os.environ, "HOME": str(FOLDER / "home")}
        )
        try:
            _wait(port, process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


@contextmanager
def front(target):
    """Run the server in front of the emulator."""
    server = Front(target)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _free_port():
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(port, process, log):
    deadline = time.monotonic() + HANGS
    while time.monotonic() < deadline and process.poll() is None:
        with closing(socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the BigQuery emulator did not start: {log.read_text()[-2000:]}")
