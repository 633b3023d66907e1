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
from cellscale.storage import locks
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


def test_a_marker_that_expired_is_taken_over(monkeypatch) -> None:
    monkeypatch.setattr(locks, "_SETTLING_SECONDS", 0.01)
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


def test_of_two_runs_that_see_the_same_expired_marker_one_holds_it(monkeypatch) -> None:
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/locks/both", json.dumps({"owner": "gone", "expires": time.time() - 1}).encode())
    other = json.dumps({"owner": "other", "expires": time.time() + 60}).encode()
    # The other run, which read the old marker before, removes this run's in its place and writes its own.
    monkeypatch.setattr(locks.time, "sleep", lambda seconds: fs.pipe_file("/locks/both", other))
    with pytest.raises(RunInProgressError, match="just started"), run_lock("memory://locks/both"):
        pass
    assert fs.cat("/locks/both") == other


def test_a_run_that_is_done_does_not_fail_because_its_marker_stays(monkeypatch, caplog) -> None:
    def refuse(location):
        raise StorageError("no answer")

    with run_lock("memory://locks/stays"):
        monkeypatch.setattr(locks, "delete", refuse)
    assert "the lock could not be removed: no answer" in caplog.text
