"""Failures of disks and object stores, in words that say what to do."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cellscale.errors import StorageError
from cellscale.storage.redaction import redacted

__all__ = ["explained", "failures"]

_ADVICE = {
    errno.ENOENT: "it does not exist: check the spelling, and that its folder has been made",
    errno.ENOTDIR: "part of the path is a file, not a folder",
    errno.EEXIST: "a file of that name is in the way: move it or choose another folder",
    errno.EISDIR: "it is a folder, a file is expected",
    errno.EACCES: "permission denied: change its permissions or choose another folder",
    errno.EPERM: "permission denied: change its permissions or choose another folder",
    errno.EROFS: "the disk is mounted read-only: choose another folder",
    errno.ENOSPC: "the disk is full: free some space or choose another folder, then run the same command again",
    errno.EDQUOT: "your disk quota is used up: free some space or choose another folder",
    errno.ENAMETOOLONG: "the name is too long for this disk: shorten it",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
}

_REMOTE_FAILURES = (
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
)


def failures() -> tuple[type[BaseException], ...]:
    """Return what reading and writing can raise: the system's errors and those of the clients loaded so far.

    The clients of object stores do not agree on a base class, and must not be imported only to name their errors.
    """
    found: list[type[BaseException]] = [OSError]
    for module, name in _REMOTE_FAILURES:
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            found.append(kind)
    return tuple(found)


def _reason(error: BaseException, location: str) -> str:
    if "://" in location and (isinstance(error, PermissionError) or str(error).startswith("Forbidden")):
        said = " ".join(str(error).split())
        return f"permission denied: give the account that is used here the right to do so ({said})"
    number = getattr(error, "errno", None)
    if number is None and isinstance(error, FileNotFoundError):
        number = errno.ENOENT
    if number is None and isinstance(error, PermissionError):
        number = errno.EACCES
    if number in _ADVICE:
        return _ADVICE[number]
    return f"{type(error).__name__}: {' '.join(str(error).split())}" if str(error) else type(error).__name__


@contextmanager
def explained(action: str, location: str | os.PathLike[str]) -> Iterator[None]:
    """Turn any failure of storage inside the ``with`` block into one that a user can act on.

    Parameters
    ----------
    action
        What is being done, as in "read" or "write".
    location
        The file or object it is done to.

    Raises
    ------
    StorageError
        ``cannot <action> <location>: <reason and advice>``.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, failures()):
            raise StorageError(
                f"cannot {action} {os.fspath(location)}: {redacted(_reason(error, os.fspath(location)))}"
            ) from error
        raise
