"""Events and log messages as JSON lines with a severity, as Google Cloud Logging and others take them."""

import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TextIO

from cellscale.cli.output.telling import SteadyFile, to_stderr
from cellscale.faults import failure_text
from cellscale.pipeline.events import Advanced, Event, ImageStarted, Listener, Notice, StageFinished, StageStarted
from cellscale.storage.redaction import redacted

__all__ = ["JsonLog", "json_logging"]

_SEVERITIES = {"info": "INFO", "warning": "WARNING", "error": "ERROR"}
_PROGRESS_SECONDS = 30.0
"""Time between two lines about the progress of a stage."""


class JsonLog:
    """Writes lines of JSON, from any thread, that hold no secrets.

    Parameters
    ----------
    file
        Where to.
    labels
        Facts that every line has; may change meanwhile.
    """

    def __init__(self, file: TextIO | None, labels: Mapping[str, Any]) -> None:
        self._file = SteadyFile(file, to_stderr, "the log")
        self._labels = labels
        self._lock = threading.Lock()

    def write(self, severity: str, message: str, *, happened: datetime | None = None, **facts: Any) -> None:
        """Write one line.

        Parameters
        ----------
        severity
            DEBUG, INFO, WARNING, ERROR or CRITICAL.
        message
            For people.
        happened
            When; None: now.
        facts
            For programs, JSON-serialisable.
        """
        line = {
            "severity": severity,
            "message": redacted(message),
            "time": (happened or datetime.now(UTC)).isoformat(timespec="milliseconds"),
            **self._labels,
            **{name: _clean(fact) for name, fact in facts.items()},
        }
        text = json.dumps(line, ensure_ascii=False, default=str)
        with self._lock:
            self._file.write_line(text)

    def crash(self, error: BaseException) -> None:
        """Write what nobody foresaw, with where it happened."""
        trace = "".join(traceback.format_exception(error))
        self.write("CRITICAL", failure_text(error), stack_trace=trace)


def _clean(fact: Any) -> Any:
    """Return a fact whose texts are without secrets."""
    if isinstance(fact, str):
        return redacted(fact)
    if isinstance(fact, Mapping):
        return {name: _clean(item) for name, item in fact.items()}
    return [_clean(item) for item in fact] if isinstance(fact, list | tuple) else fact


class _Handler(logging.Handler):
    """Passes the messages of Python's logging on."""

    def __init__(self, log: JsonLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message, with its traceback where it has one."""
        trace: dict[str, Any] = {}
        if record.exc_info and record.exc_info[1] is not None:
            trace["stack_trace"] = "".join(traceback.format_exception(record.exc_info[1]))
        self._log.write(record.levelname, record.getMessage(), logger=record.name, **trace)


@contextmanager
def json_logging(
    file: TextIO | None, labels: Mapping[str, Any], *, verbose: int
) -> Iterator[tuple[JsonLog, Listener]]:
    """Send Python's log messages, warnings and the pipeline's events to a file as JSON lines.

    Parameters
    ----------
    file
        Where to.
    labels
        Facts that every line has: the run, the task.
    verbose
        At 2 or more, what programs tell their makers as well.

    Yields
    ------
    The log, and a listener that writes to it.
    """
    log, root = JsonLog(file, labels), logging.getLogger()
    handler = _Handler(log)
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose > 1 else logging.WARNING)
    logging.captureWarnings(True)
    try:
        yield log, _Events(log, time.monotonic)
    finally:
        logging.captureWarnings(False)
        root.setLevel(before)
        root.removeHandler(handler)


class _Events:
    """Listens to the pipeline; progress is told now and then."""

    def __init__(self, log: JsonLog, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock
        self._stages: dict[tuple[str, str], list[int]] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write a line about an event, if it is worth one."""
        if isinstance(event, Advanced):
            self._advanced(event)
        elif isinstance(event, ImageStarted):
            self._write("INFO", event, f"image {event.position} of {event.count}")
        elif isinstance(event, StageStarted):
            key = event.image, event.stage
            self._stages[key], self._told[key] = [event.done, event.total], self._clock()
            self._write("INFO", event, f"{event.stage} begins, {event.done} of {event.total} done before")
        elif isinstance(event, StageFinished):
            record = event.record
            text = f"{record.stage} took {record.seconds:.1f} s and {record.peak_memory / 1e6:.0f} MB"
            self._write("INFO", event, text, stage=record.stage, record=asdict(record))
        elif isinstance(event, Notice):
            self._write(_SEVERITIES[event.level], event, event.text, happened=event.happened)

    def _advanced(self, event: Advanced) -> None:
        key = event.image, event.stage
        with self._lock:
            counts = self._stages.setdefault(key, [0, 0])
            counts[0] += event.units
            if self._clock() - self._told.get(key, 0.0) < _PROGRESS_SECONDS:
                return
            self._told[key] = self._clock()
        self._write("INFO", event, f"{event.stage}: {counts[0]} of {counts[1]}", stage=event.stage)

    def _write(self, severity: str, event: Event, text: str, **facts: Any) -> None:
        place = f"{event.image}: " if event.image else ""
        self._log.write(severity, place + text, event=type(event).__name__, image=event.image, **facts)
