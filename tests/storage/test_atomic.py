"""Files appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import fsspec
import pytest

from cellscale.errors import StorageError
from cellscale.storage.atomic import atomic_write, write_bytes, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def failing(location, error, content=b"half"):
    with atomic_write(location) as file:
        file.write(content)
        raise error


def test_the_name_is_taken_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a #1 é.txt"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new!")
        file.seek(0)
        file.write(b"N")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"New!"
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError(errno.ECONNRESET, "elsewhere")])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(error if isinstance(error, type) else type(error)):
        failing(path, error)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write .*x: the disk is full.*free some space"):
        failing(tmp_path / "x", OSError(errno.ENOSPC, "No space left on device"))
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_disk_that_fills_up_at_the_last_moment(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")

    def fill_up():
        with atomic_write(tmp_path / "x") as file:
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, file.fileno())
            os.close(full)
            file.write(b"still in the buffer")

    with pytest.raises(StorageError, match="disk is full"):
        fill_up()
    assert (tmp_path / "x").read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing.*does not exist"):
        write_bytes(tmp_path / "missing" / "x", b"")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="permission denied"):
        write_bytes(tmp_path / "x", b"")


def test_a_folder_in_the_place(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(StorageError, match="folder"):
        write_bytes(tmp_path / "x", b"")
    assert names(tmp_path) == ["x"]


def test_a_name_of_full_length(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250 + ".tiff")
    write_bytes(path, b"1")
    assert path.read_bytes() == b"1"


def test_permissions_are_the_users_own(tmp_path: Path) -> None:
    write_bytes(tmp_path / "x", b"1")
    (tmp_path / "y").write_bytes(b"1")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    script = f"""
        import sys
        from cellscale.storage.atomic import atomic_write
        with atomic_write({str(tmp_path / "x")!r}) as file:
            file.write(b"half")
            file.flush()
            print("writing", flush=True)
            sys.stdin.read()
    """
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in processes:
        process.stdout.readline()
    processes[0].send_signal(signal.SIGKILL)
    processes[0].wait()
    assert len(names(tmp_path)) == 2
    write_bytes(tmp_path / "x", b"whole")
    assert len(names(tmp_path)) == 2, "the living process keeps its file"
    processes[1].communicate(b"")
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"half"
    for process in processes:
        process.stdin.close()
        process.stdout.close()


def test_folders_are_not_listed(tmp_path: Path) -> None:
    script = f"""
        import sys
        from cellscale.storage.atomic import write_bytes
        write_bytes({str(tmp_path / "x")!r}, b"1")
        listed = []
        sys.addaudithook(lambda event, facts: listed.append(facts) if event in ("os.listdir", "os.scandir") else None)
        write_bytes({str(tmp_path / "x")!r}, b"2")
        print(listed)
    """
    words = [sys.executable, "-c", textwrap.dedent(script)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_text_is_written_to_the_letter(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "µ\r\n\n")
    assert (tmp_path / "x").read_bytes() == "µ\r\n\n".encode()


def test_objects_appear_at_the_end() -> None:
    fs = fsspec.filesystem("memory")
    with atomic_write("memory://atomic/a #1%20é") as file:
        file.write(b"content")
        assert not fs.exists("/atomic/a #1%20é")
    assert fs.cat("/atomic/a #1%20é") == b"content"
    with pytest.raises(RuntimeError):
        failing("memory://atomic/a #1%20é", RuntimeError())
    assert fs.cat("/atomic/a #1%20é") == b"content"
