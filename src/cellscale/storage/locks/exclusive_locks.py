"""One run at a time on what it writes to."""

import json
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cellscale.errors import RunInProgressError, StorageError
from cellscale.stopping import last_act
from cellscale.storage.atomic import put_bytes, write_new
from cellscale.storage.group_rights import share_path
from cellscale.storage.json_text import parsed_json
from cellscale.storage.locks.lock_holder import described, this_holder
from cellscale.storage.regular import read_regular
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, delete, join, local_path, read_if_there

__all__ = ["folder_lock", "run_lock"]

_LOG = logging.getLogger(__name__)

_LOCK = ".cellscale.lock"
"""Lock of a folder, hidden from listings, where the folder itself cannot be locked."""

_EXPIRY_SECONDS = 600.0
"""After this time without a sign of life a remote lock is another run's to take."""

_SETTLING_SECONDS = 2.0
"""After this time nobody is still removing an expired marker that was there before."""


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
def folder_lock(folder: Location) -> Iterator[None]:
    """Hold the lock of a folder that is written to until the ``with`` block ends; nothing is left in it.

    Parameters
    ----------
    folder
        Path or URI; a local one must exist.

    Raises
    ------
    RunInProgressError
        Another run holds it.
    StorageError
        It cannot be locked.
    """
    path = local_path(folder)
    with ExitStack() as held:
        if path is None or not _hold_folder(path, held):
            held.enter_context(run_lock(join(folder, _LOCK)))
        yield


def _hold_folder(path: Path, held: ExitStack) -> bool:
    """Lock the folder itself; return whether that can be: not on Windows, nor on some network file systems."""
    if sys.platform == "win32":
        return False
    import fcntl

    with explained("lock", path):
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    held.callback(os.close, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RunInProgressError(f"another run is at work and writes to {path}: wait for it, or stop it") from error
    except OSError:
        return False
    return True


@contextmanager
def _local(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    with explained("lock", path):
        path.parent.stat()  # filelock would make the folder
        try:
            lock.acquire(blocking=False)
            share_path(path)
        except Timeout as error:
            who = described(_told_by(path))
            held = f"another run is at work on this dataset{f': {who}' if who else ''}"
            raise RunInProgressError(f"{held} (it holds {path}). Wait for it, or stop it") from error
    # Beside the lock, not in it: whoever tries to take a lock empties its file.
    holder = path.with_name(f"{path.name}.holder")
    try:
        with suppress(OSError):  # a lock holds without it
            holder.unlink(missing_ok=True)  # a named pipe would be waited for
            holder.write_text(json.dumps(this_holder()), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _told_by(path: Path) -> dict[str, Any]:
    """Return what the holder of a local lock says of itself; nothing where that cannot be read."""
    try:
        found = parsed_json(read_regular(path.with_name(f"{path.name}.holder")))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def _remote(location: str) -> Iterator[None]:
    marker = {"owner": secrets.token_hex(8), **this_holder()}
    stopped = threading.Event()
    renewing = threading.Thread(target=_keep, args=(location, marker, stopped), daemon=True, name="lock")

    def let_go() -> None:
        stopped.set()
        if renewing.is_alive():
            renewing.join()
        if _is_held_by(location, marker):
            delete(location)

    with last_act(let_go):  # from before it is written: who comes next would wait for it to expire
        try:
            _take(location, marker)
            renewing.start()
            yield
        finally:
            try:
                let_go()
            except StorageError as error:  # the run is done; the marker expires by itself
                _LOG.warning("the lock could not be removed: %s", error)


def _take(location: str, marker: dict[str, Any]) -> None:
    expired = _make_free(location)
    # Stores without conditional writes let two runs that start together both write: the last one to be read has it.
    held = write_new(location, _content(marker)) and _is_held_by(location, marker)
    if held and expired:  # another run that saw the old marker may be removing this one for it
        time.sleep(_SETTLING_SECONDS)
        held = _is_held_by(location, marker)
    if not held:
        raise RunInProgressError(f"another run has just started on this dataset (it holds {location}): wait for it")


def _keep(location: str, marker: dict[str, Any], stopped: threading.Event) -> None:
    while not stopped.wait(_EXPIRY_SECONDS / 5):
        try:
            if not _is_held_by(location, marker):
                _LOG.warning("%s is another run's now: this one was without a connection for too long", location)
                return
            put_bytes(location, _content(marker))
        except StorageError as error:
            _LOG.warning("the lock could not be renewed, which is tried again: %s", error)


def _content(marker: dict[str, Any]) -> bytes:
    return json.dumps({**marker, "expires": time.time() + _EXPIRY_SECONDS}).encode()


def _is_held_by(location: str, marker: dict[str, Any]) -> bool:
    return bool((_holder(location) or {}).get("owner") == marker["owner"])


def _holder(location: str) -> dict[str, Any] | None:
    """Return the marker; None where there is none."""
    content = read_if_there(location)
    if content is None:
        return None
    try:
        found = parsed_json(content)
    except ValueError:  # a marker that was cut off or is no marker holds nothing
        return {}
    return found if isinstance(found, dict) else {}


def _make_free(location: str) -> bool:
    """Remove a marker that expired or is none, and tell whether there was one.

    Raises
    ------
    RunInProgressError
        It holds.
    """
    holder = _holder(location)
    if holder is None:
        return False
    if holder.get("expires", 0) > time.time():
        raise RunInProgressError(
            f"another run is at work on this dataset ({location} is held by {described(holder) or 'it'}): wait for "
            f"it; if it was killed, try again in {_EXPIRY_SECONDS / 60:.0f} minutes"
        )
    delete(location)
    return True
