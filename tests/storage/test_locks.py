"""The second run on a dataset says so and stops."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import pytest

from cellscale.errors import RunInProgressError, StorageError
from cellscale.storage.locks import run_lock


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_one_at_a_time(tmp_path: Path, kind) -> None:
    location = tmp_path / "lock" if kind == "local" else "memory://locks/one"
    with run_lock(location), pytest.raises(RunInProgressError, match="another run"), run_lock(location):
        pass
    with run_lock(location):
        pass


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_an_error_frees_it(tmp_path: Path, kind) -> None:
    location = tmp_path / "lock" if kind == "local" else "memory://locks/two"
    with pytest.raises(RuntimeError), run_lock(location):
        raise RuntimeError
    with run_lock(location):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_a_killed_process_frees_it(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom cellscale.storage.locks import run_lock\n"
        f"with run_lock({str(tmp_path / 'lock')!r}):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(RunInProgressError), run_lock(tmp_path / "lock"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    with run_lock(tmp_path / "lock"):
        pass


def test_a_marker_that_expired_is_taken_over() -> None:
    fs = fsspec.filesystem("memory")
    for content in (json.dumps({"owner": "x", "expires": time.time() - 1}).encode(), b"{", b"[]"):
        fs.pipe_file("/locks/old", content)
        with run_lock("memory://locks/old"):
            assert json.loads(fs.cat("/locks/old"))["expires"] > time.time() + 500
        assert not fs.exists("/locks/old")


def test_a_marker_of_somebody_else_is_left_alone() -> None:
    fs = fsspec.filesystem("memory")
    other = json.dumps({"owner": "x", "expires": time.time() + 60}).encode()
    with run_lock("memory://locks/taken"):
        fs.pipe_file("/locks/taken", other)
    assert fs.cat("/locks/taken") == other


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist"), run_lock(tmp_path / "gone" / "lock"):
        pass
