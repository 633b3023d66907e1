"""The second run on a dataset says so and stops."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from cellscale.errors import RunInProgressError, StorageError
from cellscale.storage.locks import exclusive_locks as locks
from cellscale.storage.locks import folder_lock, run_lock
from cellscale.storage.locks.lock_holder import this_holder


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_one_at_a_time(tmp_path: Path, kind) -> None:
    location = tmp_path / "lock" if kind == "local" else "memory://locks/one"
    with run_lock(location), pytest.raises(RunInProgressError, match="another run"), run_lock(location):
        pass
    with run_lock(location):
        pass


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_who_is_refused_learns_who_holds_it(tmp_path: Path, kind) -> None:
    location = tmp_path / "lock" if kind == "local" else "memory://locks/who"
    with run_lock(location), pytest.raises(RunInProgressError) as refused, run_lock(location):
        pass
    this = this_holder()
    who = f"process {os.getpid()} of {this['user']} on {this['host']}, since {this['since'][:10]}"
    assert who in str(refused.value)
    assert not list(tmp_path.glob("*.holder"))


def test_a_lock_whose_holder_says_nothing_holds_all_the_same(tmp_path: Path) -> None:
    with run_lock(tmp_path / "lock"):
        for content in (b"", b"{", b"[]", b'{"process": "x"}'):
            (tmp_path / "lock.holder").write_bytes(content)
            with pytest.raises(RunInProgressError, match=r"on this dataset \(it holds"), run_lock(tmp_path / "lock"):
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
        "import sys\nfrom cellscale.storage.locks import folder_lock, run_lock\n"
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


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_one_writer_of_a_folder_at_a_time_by_whatever_path_and_nothing_is_left_in_it(tmp_path: Path, kind) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    first, second = (tmp_path / "folder", tmp_path / "link") if kind == "local" else 2 * (f"memory://{uuid4().hex}",)
    with folder_lock(first), pytest.raises(RunInProgressError), folder_lock(second):
        pass
    with folder_lock(second):
        pass
    assert not list((tmp_path / "folder").iterdir())


def test_where_a_folder_cannot_be_locked_a_file_in_it_is(tmp_path: Path, monkeypatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(handle, how):
        raise OSError(errno.EBADF, "as NFS does")

    monkeypatch.setattr(fcntl, "flock", refuse)
    held = []
    monkeypatch.setattr(locks, "run_lock", lambda place: nullcontext(held.append(place)))
    with folder_lock(tmp_path):
        assert held == [tmp_path / ".cellscale.lock"]
