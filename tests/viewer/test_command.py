"""The command ``cellscale view``."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.cli.runs import run
from tests.patience import HANGS


@pytest.mark.slow
def test_it_prints_an_address_that_works_until_it_is_interrupted(tissue, tmp_path):
    words = [sys.executable, "-m", "cellscale", "view", "--no-browser", "--image_filter", "tissue_002", str(tissue)]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address + "api/dataset", timeout=HANGS) as answer:
                told = answer.read().decode()
        finally:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=HANGS)
    assert "tissue_002" in told
    assert "tissue_001" not in told
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_taken_port_is_told(tissue):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run("view", "--no_browser", "--port", port, tissue).explains(str(port), "--port")


@pytest.mark.parametrize("dataset", ["nowhere", "gs:/typo"])
def test_a_dataset_that_is_not_there_is_told(dataset):
    run("view", "--no_browser", dataset).explains("there is no folder", "OMETIFF")
