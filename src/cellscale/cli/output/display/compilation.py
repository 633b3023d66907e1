"""Whether numeric code is being compiled, which stands for most of the first run's first minute."""

import sys
import threading
import time
from contextlib import suppress
from typing import Any

__all__ = ["Compilation"]


class Compilation:
    """Watches the compiler, once it is loaded; never loads it.

    What is found compiled on disk is not compiled, and not told.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._since = 0.0
        self._seconds = 0.0
        self._is_watching = False

    @property
    def is_running(self) -> bool:
        """Whether code is being compiled now."""
        self.watch()
        return self._running > 0

    def seconds(self) -> float:
        """Return how long code has been compiled, and begin to count anew."""
        with self._lock:
            now = time.monotonic()
            total = self._seconds + (now - self._since if self._running else 0.0)
            self._seconds, self._since = 0.0, now
        return total

    def watch(self) -> None:
        """Listen to the compiler if it is there by now."""
        event = sys.modules.get("numba.core.event")
        if self._is_watching or event is None or not hasattr(event, "register"):
            return
        self._is_watching = True
        with suppress(Exception):  # whatever a later version of numba has in its place
            event.register("numba:compile", _listener(event, self))

    def started(self) -> None:
        """Count one more piece of code; pieces are compiled inside others, and in several threads."""
        with self._lock:
            if not self._running:
                self._since = time.monotonic()
            self._running += 1

    def ended(self) -> None:
        """Count one less."""
        with self._lock:
            self._running -= 1
            if not self._running:
                self._seconds += time.monotonic() - self._since


def _listener(event: Any, compilation: Compilation) -> Any:
    """Return what numba wants for a listener."""

    class Listener(event.Listener):  # type: ignore[misc]  # its module may not be loaded by us
        def on_start(self, event: Any) -> None:
            del event
            compilation.started()

        def on_end(self, event: Any) -> None:
            del event
            compilation.ended()

    return Listener()
