"""Progress away from a terminal: a line when an image begins, and one a minute after that."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cellscale.cli.output.display.compilation import Compilation
from cellscale.cli.output.display.lines import image_line, run_line, times
from cellscale.cli.output.display.run_progress import RunProgress
from cellscale.pipeline.events import Event, ImageStarted, Listener

__all__ = ["log_lines"]

_SECONDS = 60.0
_WIDTH = 200


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

    def now_and_then() -> None:
        while not over.wait(seconds):
            run.time_left.waited(compilation.seconds())
            images = [image_line(image, compilation, _WIDTH, bar=False) for image in run.at_work() if image.at_work]
            for line in images or ["at work"]:
                tell(f"{line} · {run_line(run)}")

    def listen(event: Event) -> None:
        run(event)
        compilation.watch()
        if isinstance(event, ImageStarted) and event.count > 1:
            tell(f"{event.image}: image {event.position:,} of {event.count:,} · {times(run)}")

    threading.Thread(target=now_and_then, name="cellscale-progress", daemon=True).start()
    try:
        yield listen
    finally:
        over.set()
