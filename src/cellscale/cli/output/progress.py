"""Listeners for people: progress bars at a terminal, plain lines elsewhere, JSON lines in a log file."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cellscale.cli.output.printable import printable
from cellscale.cli.output.telling import SteadyFile
from cellscale.errors import RequestError
from cellscale.pipeline.events import Advanced, Event, ImageStarted, Listener, Notice, StageFinished, StageStarted
from cellscale.storage.redaction import redacted

__all__ = ["SteadyConsole", "listening"]


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


@contextmanager
def listening(console: Console, *, verbose: int, log_file: Path | None) -> Iterator[Listener]:
    """Give the pipeline a listener that serves the terminal and the log file.

    Parameters
    ----------
    console
        Where a person reads, standard error.
    verbose
        0 shows warnings and choices, 1 also what each stage took, 2 also the traceback of unexpected errors.
    log_file
        JSON lines are appended here.
    """
    if verbose > 1:
        handler = logging.StreamHandler()
        handler.setFormatter(_Redacting("%(name)s: %(message)s"))
        logging.basicConfig(level=logging.DEBUG, handlers=[handler])
        logging.getLogger("numba").setLevel(logging.WARNING)
    with ExitStack() as stack:
        tell = messages(console, verbose)
        listeners: list[Listener] = [tell]
        if console.is_terminal:
            listeners.append(stack.enter_context(bars(console)))
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


def messages(console: Console, verbose: int) -> Listener:
    """Print notices as lines, and with ``verbose`` the cost of each stage."""

    def listen(event: Event) -> None:
        with suppress(OSError, ValueError):  # nobody reads any more
            show(event)

    def show(event: Event) -> None:
        if isinstance(event, Notice):
            text = f"[{STYLES[event.level]}]{event.level}: [/]" if event.level != "info" else ""
            image = _prefix(event.image)
            console.print(
                f"{image}{text}{escape(printable(redacted(event.text), keep=_BREAK))}",
                highlight=False,
                soft_wrap=True,
            )
        elif isinstance(event, StageFinished) and verbose:
            record = event.record
            console.print(
                f"{_prefix(event.image)}{record.stage} {record.seconds:.1f} s, {record.peak_memory / 1e6:.0f} MB",
                style="dim",
                highlight=False,
            )

    return listen


def _prefix(image: str) -> str:
    """Return the beginning of a line about an image; empty for the run as a whole."""
    return f"{escape(printable(image))}: " if image else ""


@contextmanager
def bars(console: Console) -> Iterator[Listener]:
    """Draw a progress bar for each stage at work."""
    with Progress(
        TextColumn("[bold]{task.fields[image]}"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        yield moving(progress)


def moving(progress: Progress) -> Listener:
    """Move the bars of a progress display as events arrive."""
    tasks: dict[tuple[str, str], TaskID] = {}
    places: dict[str, str] = {}

    def listen(event: Event) -> None:
        if isinstance(event, ImageStarted):
            places[event.image] = f"{event.position}/{event.count} "
        elif isinstance(event, StageStarted):
            tasks[event.image, event.stage] = progress.add_task(
                event.stage,
                total=event.total,
                completed=event.done,
                image=places.get(event.image, "") + escape(printable(event.image)),
            )
        elif isinstance(event, Advanced):
            progress.advance(tasks[event.image, event.stage], event.units)
        elif isinstance(event, StageFinished):
            progress.remove_task(tasks.pop((event.image, event.record.stage)))

    return listen


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Open the log file for appending, or say why that cannot be."""
    try:
        file = path.open("a", encoding="utf-8")
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
    """Write each event but the steps of a stage as a line of JSON."""

    def listen(event: Event) -> None:
        if isinstance(event, Advanced):
            return
        line = {"time": now().isoformat(), "event": type(event).__name__, **asdict(event)}
        file.write_line(json.dumps(line, ensure_ascii=False))

    return listen
