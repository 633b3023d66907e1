"""The time of a process, divided among pieces of work that go on side by side."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock

__all__ = ["Share", "SharedClock"]


class SharedClock:
    """Divides time by the clock, and processor time of all threads, evenly among the pieces of work that are open.

    Who worked on what cannot be seen from outside: threads of libraries work for all. So each piece gets the same
    part of the time that passes while it is open, and the parts of all add up to what the process took. One that is
    alone gets all of it.

    Parameters
    ----------
    clock, processor
        Return seconds: of a clock that never goes back, and of the processor.
    """

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, processor: Callable[[], float] = time.process_time
    ) -> None:
        self._clocks = clock, processor
        self._lock = Lock()
        self._open: list[Share] = []
        self._last = clock(), processor()

    def begin(self) -> "Share":
        """Return the share of a piece of work that begins now."""
        share = Share(self)
        self._put(share)
        return share

    @contextmanager
    def sharing(self) -> Iterator["Share"]:
        """Give a piece of work its share inside the ``with`` block."""
        share = self.begin()
        try:
            yield share
        finally:
            self.end(share)

    def read(self, share: "Share") -> tuple[float, float]:
        """Return a share's seconds and seconds of the processor up to now."""
        with self._lock:
            self._divide()
            return share.seconds, share.processor_seconds

    def end(self, share: "Share") -> None:
        """Give a share nothing more."""
        with self._lock:
            self._divide()
            if share in self._open:
                self._open.remove(share)

    @contextmanager
    def waiting(self, share: "Share") -> Iterator[None]:
        """Give a share nothing inside the ``with`` block, in which its work waits for that of others."""
        self.end(share)
        try:
            yield
        finally:
            self._put(share)

    def _put(self, share: "Share") -> None:
        with self._lock:
            self._divide()
            self._open.append(share)
            for one in self._open:
                one.most = max(one.most, len(self._open))

    def _divide(self) -> None:
        """Give to those that are open what has passed since the last time."""
        now = self._clocks[0](), self._clocks[1]()
        for share in self._open:
            share.seconds += (now[0] - self._last[0]) / len(self._open)
            share.processor_seconds += (now[1] - self._last[1]) / len(self._open)
        self._last = now


class Share:
    """What one piece of work has got so far.

    Parameters
    ----------
    clock
        That it is a share of.
    """

    def __init__(self, clock: SharedClock) -> None:
        self.seconds = 0.0
        self.processor_seconds = 0.0
        self.most = 0
        """How many pieces of work were open at once, this one among them, at most."""
        self._clock = clock

    def read(self) -> tuple[float, float]:
        """Return the seconds and the seconds of the processor up to now."""
        return self._clock.read(self)

    def waiting(self) -> AbstractContextManager[None]:
        """Return a context in which nothing is taken, as the work waits for that of others."""
        return self._clock.waiting(self)
