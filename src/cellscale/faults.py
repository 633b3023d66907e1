"""Whose fault an exception is: that of the bytes that were read, or that of the program that read them.

The libraries that read files raise almost anything on damaged ones, and so does a library that cellscale does not go
with on healthy ones. Two questions tell what the bytes explain. Was it raised by the parsers, or by us? An attribute
that is not there, a name, an argument of a wrong type are programming errors, and in our own code they are ours,
whatever the file holds. And can the same code, in this process, read a healthy file that was just written? Where it
cannot, the installation is at fault, and no file is.
"""

import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType

from cellscale import __version__
from cellscale.errors import CellscaleError, DefectError, StorageError
from cellscale.storage.redaction import redacted
from cellscale.storage.storage_errors import failures, reason_of

__all__ = ["Probe", "defect_text", "failure_text", "is_defect", "one_line", "told_apart", "versions"]

Probe = Callable[[], object]
"""Writes a small healthy file and reads it as the damaged one was; raises where that fails."""

_PROGRAMMING = (AttributeError, TypeError, NameError, ImportError, AssertionError, NotImplementedError)
"""What no file explains, unless it was raised inside a parser that trusted the file's bytes."""

_PARSERS = frozenset(
    {
        "ast", "asyncio", "base64", "codecs", "datetime", "enum", "fsspec", "imagecodecs", "json", "numcodecs",
        "numpy", "re", "struct", "tifffile", "tokenize", "xml", "zarr", "zipfile", "zlib",
    }
)  # fmt: skip
"""Packages that take files apart."""

_NAMED = (
    "numpy", "tifffile", "imagecodecs", "zarr", "numcodecs", "fsspec", "scipy", "numba", "onnxruntime", "openvino",
    "pyarrow", "pydantic", "matplotlib", "anndata", "h5py", "pandas", "distributed", "gcsfs", "s3fs",
)  # fmt: skip
"""Packages whose versions a report of an error gives, as far as they are loaded."""

_FRAMES = 4
"""Places in the code that a message names, from the innermost outwards."""

_LONGEST = 2000
"""Characters of an exception's text that are told."""

_probing: ContextVar[bool] = ContextVar("probing", default=False)


def is_defect(error: BaseException, probe: Probe) -> bool:
    """Tell whether an exception that came up while a file was read is no matter of the file.

    Parameters
    ----------
    error
        What was raised.
    probe
        Reads a healthy file of the same kind.
    """
    if isinstance(error, _PROGRAMMING) and _raised_by(error) not in _PARSERS:
        return True
    if _probing.get():  # a probe that fails is judged by who asked for it
        return False
    token = _probing.set(True)
    try:
        probe()
    except (OSError, StorageError):  # nothing can be written for now, so that nothing is known
        return False
    except Exception:  # whatever it is: a healthy file cannot be read
        return True
    finally:
        _probing.reset(token)
    return False


@contextmanager
def told_apart(name: str, explain: Callable[[Exception], CellscaleError], probe: Probe) -> Iterator[None]:
    """Turn what is raised while a file is read into what it says of the file, or of cellscale.

    Parameters
    ----------
    name
        The file, for messages.
    explain
        Makes the error of a damaged file.
    probe
        Reads a healthy file of the same kind.

    Raises
    ------
    CellscaleError
        What ``explain`` made.
    DefectError
        It is an error of cellscale or of a library.
    """
    try:
        yield
    except Exception as error:  # parsers raise anything on damaged files
        if isinstance(error, (CellscaleError, MemoryError, *failures())):  # of the machine: others explain them
            raise
        if is_defect(error, probe):
            raise DefectError(defect_text(error, name)) from error
        raise explain(error) from error


def failure_text(error: BaseException) -> str:
    """Return what a person is told of whatever ended a piece of work, without anything secret.

    Parameters
    ----------
    error
        What was raised: an error that a user can cause, one of the machine, or one of ours.
    """
    return redacted(_failure_text(error))


def _failure_text(error: BaseException) -> str:
    if isinstance(error, CellscaleError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "the machine has too little memory, or a limit (ulimit -v); allow less with --max_memory or --workers 1"
        )
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return (
            "the system gives this process no more threads: raise the limits on processes and memory (ulimit -u, "
            "ulimit -v) or allow fewer with --workers 1"
        )
    if isinstance(error, failures()):
        place = getattr(error, "filename", None)
        return reason_of(error, str(place or "")) if place is None else f"{place}: {reason_of(error, str(place))}"
    return defect_text(error)


def defect_text(error: BaseException, name: str = "") -> str:
    """Return what a person is told of an error of ours: what, where, with which versions, and what to do.

    Parameters
    ----------
    error
        What was raised.
    name
        What was being worked on; left out where empty.
    """
    return (
        f"{name}{': ' if name else ''}unexpected error: {one_line(error)}: this is an error of cellscale, or of a "
        f"library that it does not go with, and not of your data ({_places(error)}; {versions()}). "
        "Run cellscale doctor, which says what fails on this machine, and report this with what it prints"
    )


def one_line(error: BaseException) -> str:
    """Return an exception's class and text in one line, whatever it says."""
    try:
        said = " ".join(str(error).split())
    except Exception:  # the text of an exception is code of whoever made its class
        said = "it does not say what"
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def versions() -> str:
    """Return the versions of cellscale, Python and the libraries that are loaded."""
    found = [f"cellscale {__version__}", f"Python {platform.python_version()}"]
    for package in _NAMED:
        if package in sys.modules:
            try:
                found.append(f"{package} {version(package)}")
            except PackageNotFoundError:  # installed under another name, or copied
                found.append(f"{package} {getattr(sys.modules[package], '__version__', 'of no known version')}")
    return ", ".join(found)


def _raised_by(error: BaseException) -> str:
    """Return the package whose code raised an exception; what C code raises counts as its caller's."""
    frame = None
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] if frame is not None else ""


def _places(error: BaseException) -> str:
    """Return where an exception was raised, and from where that was called."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", "?"))
        places.append(f"{module}:{trace.tb_lineno}")
        trace = trace.tb_next
    return "in " + " < ".join(places[: -_FRAMES - 1 : -1]) if places else "raised nowhere"
