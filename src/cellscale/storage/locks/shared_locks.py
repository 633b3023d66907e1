"""Locks that many processes hold at once, on any machines, and that shut out who wants it for itself.

They are the counterparts of `cellscale.storage.locks` for processes that each do a part of one run. Object stores
have none: there is nothing that several could hold.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellscale.errors import RunInProgressError
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, join, local_path

__all__ = ["shared_folder_lock", "shared_run_lock"]

_LOCK = ".cellscale.lock"


@contextmanager
def shared_run_lock(location: Location) -> Iterator[None]:
    """Hold a dataset's lock beside others that share it until the ``with`` block ends.

    Parameters
    ----------
    location
        Path or URI of the lock file; its folder must exist.

    Raises
    ------
    RunInProgressError
        A run holds it for itself.
    StorageError
        The lock file cannot be opened.
    """
    path = local_path(location)
    handle = None if path is None or sys.platform == "win32" else _hold(path, os.O_RDWR | os.O_CREAT)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def shared_folder_lock(folder: Location) -> Iterator[None]:
    """Hold the lock of a folder that is written to beside others that share it; errors as of `shared_run_lock`."""
    path = local_path(folder)
    if path is None or sys.platform == "win32":
        yield
        return
    handle = _hold(path, os.O_RDONLY | os.O_DIRECTORY)
    if handle is None:  # the file system locks no folders, as some over a network
        with shared_run_lock(join(folder, _LOCK)):
            yield
        return
    try:
        yield
    finally:
        os.close(handle)


def _hold(path: Path, flags: int) -> int | None:
    """Return the handle of a file or folder that is locked with it; None where the file system locks nothing."""
    import fcntl

    while True:
        with explained("lock", path):
            handle = os.open(path, flags, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if _is_at(handle, path):
                return handle
        except BlockingIOError as error:
            os.close(handle)
            raise RunInProgressError(
                f"another run is at work on this dataset, for itself alone (it holds {path}): wait for it, or stop it"
            ) from error
        except OSError:
            os.close(handle)
            return None
        os.close(handle)  # who held it has removed the file meanwhile: it is made anew


def _is_at(handle: int, path: Path) -> bool:
    """Tell whether a path still leads to what was opened."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
