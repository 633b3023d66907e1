"""Loaded by workers of tests: some names of images are bad for whoever works on them.

One named ``poison`` kills its worker, as lack of memory would; others raise what Dask has trouble with.
"""

import os
import signal

from cellscale.engines.dask import worker_tasks
from cellscale.pipeline.image import process_image


class UnpicklableError(Exception):
    """Cannot be sent."""

    def __reduce__(self):
        raise TypeError("an UnpicklableError is not to be pickled")


class UntellableError(Exception):
    """Does not even say what it is."""

    def __str__(self):
        raise ValueError("an UntellableError has no text")


class Panic(BaseException):
    """What extensions raise that are written in other languages."""


def _deep(calls):
    if calls:
        _deep(calls - 1)
    raise RecursionError("1000 calls deep")


def _unpicklable():
    try:
        _deep(100)
    except RecursionError as error:
        raise UnpicklableError("not to be sent") from error


def _untellable():
    raise UntellableError


def _panic():
    raise Panic("no exception of the usual kind")


def _deadly():
    os.kill(os.getpid(), signal.SIGKILL)


_BAD = {
    "poison": _deadly,
    "deep": lambda: _deep(900),
    "unpicklable": _unpicklable,
    "untellable": _untellable,
    "panic": _panic,
}


def _process_image(entry, *rest):
    _BAD.get(entry.name, lambda: None)()
    return process_image(entry, *rest)


worker_tasks.process_image = _process_image
