import os
import stat
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import psutil
import pytest

from cellscale.records.machine import Machine, this_machine


@pytest.fixture(autouse=True)
def fresh():
    """Look the machine up in every test."""
    this_machine.cache_clear()
    yield
    this_machine.cache_clear()


@contextmanager
def metadata_server(answers):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.headers["Metadata-Flavor"] == "Google" and self.path in answers
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(answers.get(self.path, "").encode())

        def log_message(self, *words):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_this_machine_is_what_it_is():
    machine = this_machine()
    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.memory == psutil.virtual_memory().total
    assert machine.cpu


def test_a_rented_machine_is_named_by_its_metadata(monkeypatch):
    base = "/computeMetadata/v1/instance/"
    answers = {
        f"{base}machine-type": "projects/123/machineTypes/n1-standard-8",
        f"{base}zone": "projects/123/zones/europe-west4-b",
        f"{base}scheduling/preemptible": "TRUE",
    }
    with metadata_server(answers) as address:
        monkeypatch.setenv("GCE_METADATA_HOST", address)
        machine = this_machine()
    assert (machine.instance_type, machine.region, machine.is_preemptible) == ("n1-standard-8", "europe-west4", True)


def test_a_metadata_server_that_does_not_answer_leaves_the_machine_unnamed(monkeypatch):
    with metadata_server({}) as address:
        monkeypatch.setenv("GCE_METADATA_HOST", address)
        assert this_machine().is_preemptible is None
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    this_machine.cache_clear()
    assert this_machine().instance_type == ""


@pytest.mark.parametrize(
    ("script", "cards"),
    [("printf 'Tesla T4\\nTesla T4\\n'", ("Tesla T4", 2)), ("exit 9", ("", 0)), ("echo", ("", 0))],
)
def test_cards_are_counted(monkeypatch, tmp_path, script, cards):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    tool.chmod(tool.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path))
    machine = this_machine()
    assert (machine.gpu_type, machine.num_gpus) == cards


def test_nothing_that_names_a_person_or_a_host_is_kept():
    assert set(Machine.__slots__) == {
        "cpu", "cores", "memory", "gpu_type", "num_gpus", "instance_type", "region", "is_preemptible",
    }  # fmt: skip
