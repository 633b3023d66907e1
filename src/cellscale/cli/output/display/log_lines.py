"""Progress away from a terminal: a line when an image begins, one when it is over, and one a minute meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cellscale.cli.output.display.compilation import Compilation
from cellscale.cli.output.display.lines import image_line, run_line, times
from cellscale.cli.output.display.run_progress import RunProgress
from cellscale.pipeline.events import Event, ImageFinished, ImageStarted, Listener

__all__ = ["log_lines"]

_SECONDS = 60.0
_WIDTH = 200
_EACH = 200
"""Images of a run that are each told when they are over; of more, one now and then, so that the log can be read."""
_SELDOM = 5.0
"""Seconds between two of these."""


@contextmanager
def log_lines(
    tell: Callable[[str], object], *, seconds: float = _SECONDS, now: Callable[[], float] = time.monotonic
) -> Iterator[Listener]:
    """Tell how far a run is now and then, in lines for a file.

    Parameters
    ----------
    tell
        Takes a line, from any thread; what it raises ends the telling.
    seconds
        Time between two lines.
    now
        Seconds of a clock that never goes back.

    Yields
    ------
    A listener.
    """
    run, compilation = RunProgress(now), Compilation()
    over = threading.Event()
    last = now()

    def now_and_then() -> None:
        while not over.wait(seconds):
            run.waited(compilation.seconds())
            images = [image for image in run.at_work() if image.at_work]
            busy = [image for image in images if not image.may_wait] or images[:1]
            for line in [image_line(image, compilation, _WIDTH, bar=False) for image in busy] or ["at work"]:
                tell(f"{line} · {run_line(run)}")

    def is_told() -> bool:
        return run.count <= _EACH or run.finished == run.count or now() - last >= _SELDOM

    def listen(event: Event) -> None:
        nonlocal last
        run(event)
        compilation.watch()
        run.waited(compilation.seconds())
        if run.count < 2:
            return
        if isinstance(event, ImageStarted):
            tell(f"{event.image}: image {event.position:,} of {event.count:,} · {times(run)}")
        elif isinstance(event, ImageFinished) and is_told():
            last = now()
            tell(f"{event.image}: {event.status} · {run_line(run)}")

    threading.Thread(target=now_and_then, name="cellscale-progress", daemon=True).start()
    try:
        yield listen
    finally:
        over.set()
