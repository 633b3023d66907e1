"""Standard output without what a library prints in one thread."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

__all__ = ["quiet"]


class _Quiet:
    """A standard output that takes nothing from one thread."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._thread = get_ident()

    def write(self, text: str) -> int:
        """Write, or drop, a text."""
        if get_ident() == self._thread:
            return len(text)
        written: int = self._file.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what this thread prints inside the ``with`` block; what others print meanwhile is printed."""
    file = sys.stdout
    if file is None:  # as with pythonw
        yield
        return
    quieted: Any = _Quiet(file)
    sys.stdout = quieted
    try:
        yield
    finally:
        if sys.stdout is quieted:  # and has not been put back, or turned elsewhere, by somebody else
            sys.stdout = file
