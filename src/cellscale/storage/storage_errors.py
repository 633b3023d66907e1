"""Failures of disks and object stores, in words that say what to do."""

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from cellscale.errors import CellscaleError, StorageError
from cellscale.storage.redaction import redacted
from cellscale.storage.regular import IrregularFileError

__all__ = ["explained", "failures", "is_absent", "is_away", "reason_of"]

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
    errno.ELOOP: "it is a link that leads back to itself: remove it, or have it lead to a file",
    errno.EFBIG: "the file is larger than a limit of this process (ulimit -f) or of the disk allows: raise the "
    "limit, or choose another disk",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
}

_REMOTE_FAILURES = (
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
)

_PASSING_FAILURES = (
    ("requests.exceptions", "ConnectionError"),
    ("requests.exceptions", "Timeout"),
    ("google.auth.exceptions", "TransportError"),
    ("google.api_core.exceptions", "RetryError"),
    ("botocore.exceptions", "ConnectionError"),
    ("botocore.exceptions", "HTTPClientError"),
    ("aiohttp", "ClientConnectionError"),
    ("aiohttp", "ClientPayloadError"),
)
"""What the clients raise where nobody answers, when they have tried often enough."""
_PASSING_ANSWERS = {408, 429}
"""Answers to a request, besides those from 500 on, that say that another try may do."""

_INSECURE = (
    ("ssl", "SSLError"),
    ("requests.exceptions", "SSLError"),
    ("botocore.exceptions", "SSLError"),
    ("aiohttp", "ClientSSLError"),
)
"""What the clients raise where no secure connection can be made."""

_REFUSALS = {401, 403, 407}
_ABSENCES = {404, 410}
_UNSUPPORTED = {405, 501}
"""Answers of servers that give files and take none."""


def failures() -> tuple[type[BaseException], ...]:
    """Return what reading and writing can raise: the system's errors and those of the clients loaded so far.

    The clients of object stores do not agree on a base class, and must not be imported only to name their errors.
    """
    return (OSError, *_loaded(_REMOTE_FAILURES))


def is_away(error: BaseException) -> bool:
    """Tell whether an error of ours says that a store, or the way to it, was away: the same may do a little later.

    Parameters
    ----------
    error
        Any error; what it was raised from counts, too.
    """
    cause = error.__cause__ if isinstance(error, CellscaleError) else None
    while cause is not None:
        if _passes(cause):
            return True
        cause = cause.__cause__
    return False


def is_absent(error: FileNotFoundError) -> bool:
    """Tell whether a store said that something is not there; clients over HTTP raise the same for other failures."""
    return isinstance(_told(error), FileNotFoundError)


def _told(error: BaseException) -> BaseException:
    """Return what a client was told, where what it raises does not tell.

    fsspec says of every failure over HTTP that there is no such file, and s3fs of what it does not know that it is
    an error of input and output.
    """
    cause = error.__cause__
    if not isinstance(cause, failures()):
        return error
    if isinstance(error, FileNotFoundError):
        return error if _answer(cause) in _ABSENCES else cause
    return cause if type(error) is OSError and _answer(cause) else error


def _passes(error: BaseException) -> bool:
    if isinstance(error, (ConnectionError, TimeoutError, *_loaded(_PASSING_FAILURES))):
        return True
    answer = _answer(error)
    return answer in _PASSING_ANSWERS or (answer >= 500 and answer not in _UNSUPPORTED)


def _answer(error: BaseException) -> int:
    """Return the status of the answer that an error tells of; 0 where it tells of none."""
    response = getattr(error, "response", None)  # botocore
    if isinstance(response, dict):
        return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if not isinstance(error, failures()) and not type(error).__module__.startswith("google."):
        return 0
    status: Any = getattr(error, "status", None) or getattr(error, "code", None)  # aiohttp; Google's clients
    return int(status) if str(status).isdecimal() else 0


def _loaded(names: Iterable[tuple[str, str]]) -> tuple[type[BaseException], ...]:
    """Return those of some errors, by module and name, whose module is loaded: no others can have been raised."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in names)
    return tuple(kind for kind in found if isinstance(kind, type))


def reason_of(error: BaseException, location: str) -> str:
    """Return why storage failed and what to do.

    Parameters
    ----------
    error
        One of `failures`, or a client's `NotImplementedError`.
    location
        What was being read or written.
    """
    error = _told(error)
    answer, said = _answer(error), _said(error)
    if isinstance(error, _loaded(_INSECURE)):
        return (
            "no secure connection can be made: check the address, the server's certificate and this machine's clock "
            f"({said})"
        )
    if answer in _REFUSALS:
        return f"the server refuses access ({answer}): log in, or ask for the right to read it"
    if "://" in location and (isinstance(error, PermissionError) or str(error).startswith("Forbidden")):
        return f"permission denied: give the account that is used here the right to do so ({_one_line(error)})"
    if isinstance(error, IrregularFileError):
        return str(error)
    if answer in _UNSUPPORTED or isinstance(error, NotImplementedError):
        return f"this cannot be done at {location.partition('://')[0]}://: what is written needs a folder or a bucket"
    number = errno.ENOENT if answer in _ABSENCES else _number(error)
    if number in _ADVICE:
        return _ADVICE[number]
    if _passes(error):
        return f"the store cannot be reached for now, try again later ({said})"
    return f"the server answers what no store would: check the address ({said})" if answer else said


def _number(error: BaseException) -> int | None:
    """Return the system's number of an error; a connection's are not those of a file."""
    number: int | None = getattr(error, "errno", None)
    if isinstance(error, _loaded(_REMOTE_FAILURES)):
        return number if number == errno.EMFILE else None
    if number is None and isinstance(error, FileNotFoundError):
        return errno.ENOENT
    if number is None and isinstance(error, PermissionError):
        return errno.EACCES
    return number


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {_one_line(error)}" if str(error) else type(error).__name__


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


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
        ``cannot <action> <location>: <reason and advice>``, from what failed: `FileNotFoundError` for absence alone.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, failures()) or (isinstance(error, NotImplementedError) and "://" in os.fspath(location)):
            raise StorageError(
                redacted(f"cannot {action} {os.fspath(location)}: {reason_of(error, os.fspath(location))}")
            ) from _told(error)
        raise
