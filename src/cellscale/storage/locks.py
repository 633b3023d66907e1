"""One run at a time on one dataset."""

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cellscale.errors import RunInProgressError
from cellscale.storage.errors import explained
from cellscale.storage.uri import Location, delete, filesystem, local_path, read_bytes

__all__ = ["run_lock"]

_EXPIRY_SECONDS = 600.0
"""After this time without a sign of life a remote lock is another run's to take."""


@contextmanager
def run_lock(location: Location) -> Iterator[None]:
    """Hold the lock of a dataset until the ``with`` block ends.

    A local lock is the operating system's: it ends with the process, however that ends. In an object store it is a
    marker that its holder renews, and that expires ten minutes after the last renewal.

    Parameters
    ----------
    location
        Path or URI of the lock file; its folder must exist.

    Raises
    ------
    RunInProgressError
        Another run holds it.
    StorageError
        The lock file cannot be written.
    """
    path = local_path(location)
    holding = _local(path) if path is not None else _remote(str(location))
    with holding:
        yield


@contextmanager
def _local(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    with explained("lock", path):
        path.parent.stat()  # filelock would make the folder
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise RunInProgressError(
                f"another run is at work on this dataset (it holds {path}): wait for it, or stop it"
            ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _remote(location: str) -> Iterator[None]:
    marker = {"owner": secrets.token_hex(8), "host": socket.gethostname(), "process": os.getpid()}
    _check_free(location)
    _renew(location, marker)
    # Stores without conditional writes let two runs that start together both write: the last one to be read has it.
    if _holder(location).get("owner") != marker["owner"]:
        raise RunInProgressError(f"another run has just started on this dataset (it holds {location}): wait for it")
    stopped = threading.Event()
    renewing = threading.Thread(target=_keep, args=(location, marker, stopped), daemon=True, name="lock")
    renewing.start()
    try:
        yield
    finally:
        stopped.set()
        renewing.join()
        if _holder(location).get("owner") == marker["owner"]:
            delete(location)


def _keep(location: str, marker: dict[str, Any], stopped: threading.Event) -> None:
    while not stopped.wait(_EXPIRY_SECONDS / 5):
        _renew(location, marker)


def _renew(location: str, marker: dict[str, Any]) -> None:
    fs, key = filesystem(location)
    with explained("lock", location):
        fs.pipe_file(key, json.dumps({**marker, "expires": time.time() + _EXPIRY_SECONDS}).encode())


def _holder(location: str) -> dict[str, Any]:
    fs, key = filesystem(location)
    with explained("lock", location):
        fs.invalidate_cache()
        if not fs.exists(key):
            return {}
    try:
        found = json.loads(read_bytes(location))
    except ValueError:  # a marker that was cut off or is no marker holds nothing
        return {}
    return found if isinstance(found, dict) else {}


def _check_free(location: str) -> None:
    holder = _holder(location)
    if holder.get("expires", 0) > time.time():
        raise RunInProgressError(
            f"another run is at work on this dataset ({location} is held by process {holder.get('process')} on "
            f"{holder.get('host')}): wait for it; if it was killed, try again in {_EXPIRY_SECONDS / 60:.0f} minutes"
        )
