"""Listeners for people: progress and notices, at a terminal and in logs, and JSON lines in a log file."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape

from cellscale.cli.output.display import log_lines, screen
from cellscale.cli.output.printable import printable
from cellscale.cli.output.repeated import Repeated
from cellscale.cli.output.telling import SteadyFile
from cellscale.errors import RequestError
from cellscale.pipeline.events import Advanced, Event, ImagesSeen, Listener, Notice, StageFinished
from cellscale.storage.redaction import redacted
from cellscale.storage.regular import never_waiting

__all__ = ["SteadyConsole", "Told", "listening"]


class _Redacting(logging.Formatter):
    """Writes messages of any library without secrets: clients log the addresses that they open."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, with its traceback where it has one."""
        return redacted(super().format(record))


_BREAK = "\n"
STYLES = {"info": "dim", "warning": "yellow", "error": "red"}


class SteadyConsole(Console):
    """A console that falls silent where nobody reads any more; Rich's own ends the program with exit code 1."""

    def on_broken_pipe(self) -> None:
        """Say nothing from now on."""
        self.quiet = True


@dataclass(slots=True)
class Told:
    """What a person has read already, and need not read again."""

    failed: set[str] = field(default_factory=set)
    """Images of which it was told why they failed."""


@contextmanager
def listening(
    console: Console, *, verbose: int, log_file: Path | None, told: Told | None = None, plans: bool = False
) -> Iterator[Listener]:
    """Give the pipeline a listener that serves the terminal and the log file.

    Parameters
    ----------
    console
        Where a person reads, standard error.
    verbose
        0 shows warnings and choices, 1 also what each stage took, 2 also the traceback of unexpected errors.
    log_file
        JSON lines are appended here.
    told
        Learns what is told.
    plans
        Whether the run is a dry one, whose choices are told at its end.
    """
    if verbose > 1:
        handler = logging.StreamHandler()
        handler.setFormatter(_Redacting("%(name)s: %(message)s"))
        logging.basicConfig(level=logging.DEBUG, handlers=[handler])
        logging.getLogger("numba").setLevel(logging.WARNING)
    with ExitStack() as stack:
        tell = messages(console, verbose, told or Told(), plans=plans)
        listeners: list[Listener] = [tell]
        if not plans:
            moving = screen(console) if console.is_terminal else log_lines(partial(_print, console))
            listeners.append(stack.enter_context(moving))
        if log_file is not None:
            stop = partial(Notice, "", "warning")
            file = SteadyFile(
                stack.enter_context(opened(log_file)), lambda text: tell(stop(text)), f"--log_file {log_file}"
            )
            listeners.append(log(file))
        yield all_of(listeners)


def all_of(listeners: list[Listener]) -> Listener:
    """Combine listeners into one."""

    def listen(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return listen


def messages(console: Console, verbose: int, told: Told, *, plans: bool = False) -> Listener:
    """Print notices as lines, and with ``verbose`` the cost of each stage."""
    repeated = Repeated()

    def listen(event: Event) -> None:
        with suppress(OSError, ValueError):  # nobody reads any more
            show(event)

    def show(event: Event) -> None:
        if isinstance(event, Notice):
            if plans and event.image and event.level == "info":
                return  # the end of a dry run tells it
            if not verbose and event.image and event.level == "info" and (said := repeated.said(event)) != event.text:
                if said:
                    console.print(_prefix(event.image) + said, highlight=False, soft_wrap=True)
                return
            text = escape(printable(redacted(event.text), keep=_BREAK))
            console.print(_start(event) + text, highlight=False, soft_wrap=True)
            if event.image and event.level == "error":
                told.failed.add(event.image)
        elif isinstance(event, StageFinished) and verbose:
            record = event.record
            console.print(
                f"{_prefix(event.image)}{record.stage} {record.seconds:.1f} s, {record.peak_memory / 1e6:.0f} MB",
                style="dim",
                highlight=False,
            )

    return listen


def _start(event: Notice) -> str:
    """Return the beginning of a notice's line."""
    if event.level == "error" and event.image:  # as the end of a run writes it, for who looks for it in logs
        return f"[{STYLES['error']}]failed: [/]{_prefix(event.image)}"
    kind = f"[{STYLES[event.level]}]{event.level}: [/]" if event.level != "info" else ""
    return _prefix(event.image) + kind


def _print(console: Console, text: str) -> None:
    """Print a line of progress, if anybody reads it."""
    with suppress(OSError, ValueError):
        console.print(escape(printable(redacted(text))), style="dim", highlight=False, soft_wrap=True)


def _prefix(image: str) -> str:
    """Return the beginning of a line about an image; empty for the run as a whole."""
    return f"{escape(printable(image))}: " if image else ""


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Open the log file for appending, or say why that cannot be."""
    try:
        file = open(path, "a", encoding="utf-8", opener=never_waiting)  # noqa: SIM115 (closed below)
    except OSError as error:
        raise RequestError(
            f"--log_file {path} cannot be written ({error.strerror}); name a file in a folder that can."
        ) from error
    try:
        yield file
    finally:
        with suppress(OSError):  # of a line that the disk could not take
            file.close()


def log(file: SteadyFile, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Listener:
    """Write each event as a line of JSON, but the steps of a stage and what images say of themselves."""

    def listen(event: Event) -> None:
        if isinstance(event, Advanced | ImagesSeen):
            return
        facts = asdict(event)
        time = facts.pop("happened", None) or now()
        line = {"time": time.isoformat(), "event": type(event).__name__, **facts}
        file.write_line(json.dumps(line, ensure_ascii=False))

    return listen
