"""Files that appear whole or not at all."""

import errno
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cellscale.storage.group_rights import share_file, share_path
from cellscale.storage.regular import open_regular
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, filesystem, local_path

__all__ = ["atomic_write", "put_bytes", "write_bytes", "write_new", "write_text"]

_WRITE_FAILURES = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


@contextmanager
def atomic_write(location: Location, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when the ``with`` block ends without an error.

    A local file is written beside its final place and renamed; an object is uploaded in one piece from a temporary
    file. On any error, and when the process is killed, the earlier content stays as it was. What a killed process
    left behind is removed by the next write of the same file.

    Parameters
    ----------
    location
        Path or URI; the folder must exist.
    durable
        Wait until the disk has the content, so that a power cut leaves the old or the new file. Turn off for
        what can be computed again.

    Yields
    ------
    A seekable binary file, also readable.

    Raises
    ------
    StorageError
        The folder is missing or read-only, the disk is full, or the upload failed.
    """
    path = local_path(location)
    writing = _local(path, durable=durable) if path is not None else _remote(str(location))
    with writing as file:
        try:
            yield file
        except OSError as error:
            # An error of anything else that the block does keeps its own words.
            if error.errno not in _WRITE_FAILURES:
                raise
            with explained("write", location):
                raise


def write_bytes(location: Location, content: bytes) -> None:
    """Write a small file, whole or not at all (see `atomic_write`)."""
    with atomic_write(location) as file:
        file.write(content)


def put_bytes(uri: str, content: bytes) -> None:
    """Write a small object in one request.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    fs, key = filesystem(uri)
    with explained("write", uri):
        fs.pipe_file(key, content)


def write_new(location: Location, content: bytes) -> bool:
    """Write a small file unless there is one: of several writers at the same time, one does.

    Returns
    -------
    Whether it was written. A store that cannot tell (some of those that speak S3) lets all writers write.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    path = local_path(location)
    with explained("write", location):
        try:
            if path is not None:
                return _write_new_file(path, content)
            fs, key = filesystem(location)
            fs.pipe_file(key, content, mode="create")
        except FileExistsError:
            return False
    return True


def write_text(location: Location, content: str) -> None:
    """Write a small UTF-8 text with its line ends as they are, whole or not at all (see `atomic_write`)."""
    write_bytes(location, content.encode("utf-8"))


def _write_new_file(path: Path, content: bytes) -> bool:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".cellscale-new-", suffix=".part") as part:
        part.write(content)
        part.flush()
        share_path(Path(part.name))
        path.hardlink_to(part.name)  # unlike a rename, fails where there is a file
    return True


@contextmanager
def _local(path: Path, *, durable: bool) -> Iterator[BinaryIO]:
    # A hash, because a name of the full allowed length could not be made longer.
    prefix = f".cellscale-{hashlib.sha256(path.name.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}-"
    with explained("write", path):
        part, file = _part(path.parent, prefix)
        share_file(file, path.parent, path)
    try:
        yield file
        with explained("write", path):
            _finish(file, durable=durable)
            part.replace(path)
            if durable:
                _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):  # closing flushes, which fails again on a full disk; the file is dropped anyway
            file.close()
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _finish(file: BinaryIO, *, durable: bool) -> None:
    file.flush()
    if durable:
        os.fsync(file.fileno())
    file.close()


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot; the rename itself has happened
            os.fsync(handle)
    finally:
        os.close(handle)


def _part(folder: Path, prefix: str) -> tuple[Path, BinaryIO]:
    """Open a new part file, locked as long as this process lives, and remove those that dead ones have left.

    They are numbered from 0, so that a folder of many thousand files need not be listed to find them.
    """
    number = 0
    while True:
        part = folder / f"{prefix}{number}.part"
        try:
            file = part.open("x+b")
        except FileExistsError:
            number += not _remove_if_stale(part)
            continue
        _hold(file, wait=True)
        if sys.platform == "win32" or os.fstat(file.fileno()).st_nlink > 0:
            break
        file.close()  # another process took it for a stale one, before it was locked
    while os.path.lexists(left := folder / f"{prefix}{number + 1}.part"):
        _remove_if_stale(left)
        number += 1
    return part, file


def _hold(file: BinaryIO, *, wait: bool) -> bool:
    """Lock a part file; return whether that worked. On Windows an open file cannot be deleted anyway."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_if_stale(part: Path) -> bool:
    """Remove a part file of a process that died; those of living ones are locked. Return whether it is gone."""
    with suppress(OSError), open_regular(part) as file:
        # Under its name may be another one by now, if somebody else removed it before this process had the lock.
        if not _hold(file, wait=False) or not os.path.samestat(part.stat(), os.fstat(file.fileno())):
            return False
        part.unlink()
    return not os.path.lexists(part)


@contextmanager
def _remote(location: str) -> Iterator[BinaryIO]:
    fs, key = filesystem(location)
    with tempfile.TemporaryDirectory(prefix="cellscale-") as folder:
        part = Path(folder) / "upload"
        with part.open("x+b") as file:
            yield file
        with explained("write", location):
            fs.put_file(str(part), key)
            fs.invalidate_cache()
