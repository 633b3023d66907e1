"""Time and resident memory of a piece of work."""

import threading
import time
from types import TracebackType

import psutil

__all__ = ["Meter"]

SAMPLE_SECONDS = 0.05


class Meter:
    """Context manager that samples the process's resident size while its body runs.

    A sampler is used because the operating system's own high-water mark covers the process's whole life and so
    cannot tell one stage from another. Meters may be nested.
    """

    seconds: float
    """Wall time of the body."""
    processor_seconds: float
    """Processor time of all the process's threads meanwhile; hardly grows when other programs take the cores."""
    peak_memory: int
    """Largest resident size seen, in bytes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.processor_seconds = 0.0
        self.peak_memory = 0
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="cellscale-meter", daemon=True)

    def __enter__(self) -> "Meter":
        self._start, self._start_processor = time.perf_counter(), time.process_time()
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
        self.seconds = time.perf_counter() - self._start
        self.processor_seconds = time.process_time() - self._start_processor

    def _look(self) -> None:
        self.peak_memory = max(self.peak_memory, self._process.memory_info().rss)

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._look()
