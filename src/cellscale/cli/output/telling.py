"""What is told of a run is never worth the run: a full disk or a closed pipe ends the telling, and nothing else."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from cellscale.storage.storage_errors import reason_of

__all__ = ["SteadyFile", "end_output", "telling", "to_stderr"]

_FAILURES = (OSError, ValueError)
"""What writing to a full, closed or narrow (ASCII) file raises."""


class SteadyFile:
    """A file of text lines whose failure is told once, and raises nothing.

    Parameters
    ----------
    file
        Where to; None where the process has no such file, as with ``>&-``.
    warn
        Takes the sentence about its failure.
    name
        What it is called in that sentence.
    """

    def __init__(self, file: TextIO | None, warn: Callable[[str], object], name: str) -> None:
        self._file = file
        self._warn = warn
        self._name = name

    def write_line(self, text: str) -> None:
        """Write a line and have it reach the file; do nothing once that has failed."""
        file = self._file
        if file is None:
            return
        try:
            file.write(text + "\n")
            file.flush()
        except _FAILURES as error:
            self._file = None
            with suppress(*_FAILURES):
                self._warn(f"{self._name} is no longer written ({_reason(error)}); the run goes on without it")


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Have what cannot be told inside the ``with`` block said on standard error, if that can be, and go on."""
    try:
        yield
    except _FAILURES as error:
        with suppress(*_FAILURES):
            to_stderr(f"{what} cannot be written ({_reason(error)}); what the run made is not affected")


def to_stderr(text: str) -> None:
    """Warn on standard error, where there is one."""
    if sys.stderr is not None:
        sys.stderr.write(f"warning: {text}\n")
        sys.stderr.flush()


def end_output() -> None:
    """Empty the standard files; what they cannot take any more is dropped, or Python would end with exit code 120."""
    for file in (sys.stdout, sys.stderr):
        if file is None:
            continue
        try:
            file.flush()
        except _FAILURES:
            with suppress(*_FAILURES):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, file.fileno())
                os.close(nowhere)


def _reason(error: Exception) -> str:
    return reason_of(error, "") if isinstance(error, OSError) else str(error)
