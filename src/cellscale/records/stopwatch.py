"""Seconds that several threads spend on one kind of work."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

__all__ = ["Stopwatch"]

P = ParamSpec("P")
R = TypeVar("R")


class Stopwatch:
    """Sums wall time over threads, so that two threads that read for a second give two seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of a ``with`` block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds += time.perf_counter() - start

    def around(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function whose calls are counted."""

        @wraps(function)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.running():
                return function(*args, **kwargs)

        return counted
