"""Files that go to an object store behind the work that makes them."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from cellscale.errors import StorageError
from cellscale.stopping import worth_waiting
from cellscale.storage.atomic import put_bytes
from cellscale.storage.regular import read_regular
from cellscale.storage.uri import delete, objects_below

__all__ = ["Uploads", "delete_all", "send_folder"]

_LOG = logging.getLogger(__name__)

_THREADS = 4
_WAITING = 64
"""Groups of files that may wait: whoever makes more has to wait, too, so that a killed machine loses little."""
_DELETES = 16


class Uploads:
    """Sends groups of files in threads, the files of a group one after another.

    A group that cannot be sent, after the store's client has tried for half a minute, is no error until `flush`: the
    files are still on this machine.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="cellscale-upload")
        self._room = threading.BoundedSemaphore(_WAITING)
        self._lock = threading.Lock()
        self._pending: dict[str, Future[None]] = {}
        self._failed: dict[str, Exception] = {}
        self._announced = ExitStack()
        self._announced.enter_context(worth_waiting(lambda: bool(self._pending)))

    def submit(self, name: str, files: Sequence[tuple[Path, str]], after: Callable[[], None]) -> None:
        """Send files, each to its URI; waits where too many wait already.

        Parameters
        ----------
        name
            Of the group.
        files
            Path and URI of each; a file that is gone when its turn comes is left out.
        after
            Called when all of them are there.
        """
        self._room.acquire()

        def send() -> None:
            try:
                for path, uri in files:
                    _send(path, uri)
                after()
                with self._lock:
                    self._failed.pop(name, None)
            except Exception as error:  # raised by flush, whatever it is
                _LOG.warning("%s could not be kept in the object store: %s", name, error)
                with self._lock:
                    self._failed[name] = error

        def done(ended: Future[None]) -> None:
            self._room.release()
            with self._lock:
                if self._pending.get(name) is ended:
                    del self._pending[name]

        with self._lock:
            future = self._pending[name] = self._pool.submit(send)
        future.add_done_callback(done)

    def wait(self, name: str) -> None:
        """Wait until a group that is waiting or under way is sent, or could not be."""
        with self._lock:
            future = self._pending.get(name)
        if future is not None:
            future.result()

    def cancel(self, prefix: str = "") -> None:
        """Drop the groups whose names begin so, having waited for those under way."""
        with self._lock:
            found = [future for name, future in self._pending.items() if name.startswith(prefix)]
            self._failed = {name: error for name, error in self._failed.items() if not name.startswith(prefix)}
        for future in found:
            if not future.cancel():
                future.result()

    def flush(self) -> None:
        """Wait until everything is sent.

        Raises
        ------
        StorageError
            Something could not be sent.
        """
        with self._lock:
            found = list(self._pending.values())
        for future in found:
            future.result()
        with self._lock:
            failed = dict(self._failed)
        for name, error in failed.items():
            raise StorageError(f"{name} could not be kept in the object store: {error}") from error

    def close(self) -> None:
        """Send what waits and end the threads."""
        with self._announced:
            self._pool.shutdown()


def _send(path: Path, uri: str) -> None:
    try:
        content = read_regular(path)
    except FileNotFoundError:  # dropped meanwhile
        return
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error}") from error
    put_bytes(uri, content)


def send_folder(folder: Path, uri: str) -> None:
    """Copy a folder to an object store; what was below the URI and is not in the folder goes.

    Raises
    ------
    StorageError
        Something cannot be sent.
    """
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="cellscale-upload") as pool:
        list(pool.map(lambda name: _send(folder / name, f"{uri}/{name}"), names))
    delete_all(f"{uri}/{name}" for name in objects_below(uri) if name not in names)


def delete_all(uris: Iterable[str]) -> None:
    """Delete objects, many side by side; those that are not there are none the less gone.

    Raises
    ------
    StorageError
        One is there and cannot be deleted.
    """
    with ThreadPoolExecutor(_DELETES, thread_name_prefix="cellscale-delete") as pool:
        list(pool.map(delete, uris))
