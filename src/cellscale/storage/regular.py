"""Only files are read as files: opening a named pipe waits for ever, and a device does what its driver likes."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

__all__ = ["IrregularFileError", "never_waiting", "oddity", "open_regular", "read_regular", "require_regular"]

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


class IrregularFileError(OSError):
    """What is opened is no file, or a link that leads to none."""


def oddity(path: Path) -> str | None:
    """Say why a name in a folder is neither file nor folder, nor a link to one; None where it is, or is not there.

    Raises
    ------
    OSError
        It cannot be known.
    """
    try:
        kind = _odd_kind(path.stat().st_mode)
    except FileNotFoundError:
        if not path.is_symlink():
            return None
        return f"it is a link to {path.readlink()}, which does not exist; remove it, or bring back what it leads to"
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return "it is a link that leads back to itself; remove it, or have it lead to a file"
    return None if kind is None else f"it is {kind}, a file is expected"


def require_regular(path: Path) -> None:
    """Check that there is a file of that name, or a link to one, without opening it.

    Raises
    ------
    IrregularFileError
        There is something else; a folder is left to whoever opens it.
    OSError
        There is nothing, or it cannot be known.
    """
    reason = oddity(path)
    if reason is not None:
        raise IrregularFileError(reason)


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; never wait, as one would for the other end of a named pipe.

    Raises
    ------
    IrregularFileError
        It is no file.
    OSError
        It cannot be opened.
    """
    require_regular(path)
    return open(path, "rb", opener=_regular_opener)


def read_regular(path: Path) -> bytes:
    """Return the content of a file; errors as of `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def never_waiting(name: str, flags: int) -> int:
    """Open what is written to; `OSError` where that is a named pipe from which nobody reads."""
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    if hasattr(os, "O_NONBLOCK"):  # only opening must not wait: a slow reader of a pipe is waited for
        os.set_blocking(descriptor, True)
    return descriptor


def _regular_opener(name: str, flags: int) -> int:
    # Looked at once more when it is open: it may have been exchanged meanwhile.
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    kind = _odd_kind(os.fstat(descriptor).st_mode)
    if kind is not None:
        os.close(descriptor)
        raise IrregularFileError(f"it is {kind}, a file is expected")
    return descriptor


def _odd_kind(mode: int) -> str | None:
    return next((words for is_kind, words in _KINDS if is_kind(mode)), None)
