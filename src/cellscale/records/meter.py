"""Time and resident memory of a piece of work."""

import threading
from types import TracebackType

import psutil

from cellscale.records.shared_clock import Share, SharedClock

__all__ = ["Meter"]

SAMPLE_SECONDS = 0.05


class Meter:
    """Context manager that samples the process's resident size while its body runs.

    A sampler is used because the operating system's own high-water mark covers the process's whole life and so
    cannot tell one stage from another. Meters may be nested.

    Parameters
    ----------
    share
        Of the work that the body is part of, where other work goes on in the process at the same time; None for all
        of the process.
    """

    seconds: float
    """Wall time of the body, or its share of it."""
    processor_seconds: float
    """Processor time of all the process's threads meanwhile, or its share of it; hardly grows when other programs
    take the cores."""
    peak_memory: int
    """Largest resident size seen, in bytes: of the whole process."""

    def __init__(self, share: Share | None = None) -> None:
        self._share = share or SharedClock().begin()
        self.seconds = 0.0
        self.processor_seconds = 0.0
        self.peak_memory = 0
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="cellscale-meter", daemon=True)

    def __enter__(self) -> "Meter":
        self._before = self._share.read()
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._look()
        self.read()

    def read(self) -> None:
        """Bring all up to date while the body runs."""
        now = self._share.read()
        self.seconds, self.processor_seconds = now[0] - self._before[0], now[1] - self._before[1]

    def _look(self) -> None:
        self.peak_memory = max(self.peak_memory, self._process.memory_info().rss)

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._look()
