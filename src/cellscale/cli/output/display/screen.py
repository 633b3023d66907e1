"""Progress at a terminal: a line for the run and one for each image at work, drawn anew four times a second."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cellscale.cli.output.display.compilation import Compilation
from cellscale.cli.output.display.lines import image_line, run_line
from cellscale.cli.output.display.run_progress import RunProgress
from cellscale.pipeline.events import Event, Listener

__all__ = ["screen"]

_A_SECOND = 4
_SHOWN = 4
"""Images shown at a time."""


@contextmanager
def screen(console: Console) -> Iterator[Listener]:
    """Draw how far a run is, below whatever else is told, and leave nothing of it behind.

    What cannot be drawn, because the terminal is gone, is not drawn: the run goes on.

    Parameters
    ----------
    console
        A terminal.

    Yields
    ------
    A listener that moves the lines.
    """
    run, compilation = RunProgress(time.monotonic), Compilation()

    def drawn() -> Text:
        run.waited(compilation.seconds())
        width = max(console.width - 1, 20)
        images = [image for image in run.at_work() if image.name or image.at_work]
        lines = [run_line(run), *(image_line(image, compilation, width) for image in images[:_SHOWN])]
        if len(images) > _SHOWN:
            lines.append(f"and {len(images) - _SHOWN} more at work")
        if not images:
            lines.append("finishing" if run.finished else "getting ready")
        text = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
        text.stylize("bold", 0, len(lines[0]))
        return text

    live = Live(console=console, get_renderable=drawn, refresh_per_second=_A_SECOND, transient=True)

    def listen(event: Event) -> None:
        run(event)

    with suppress(OSError, ValueError):
        live.start()
    try:
        yield listen
    finally:
        with suppress(OSError, ValueError):
            live.stop()
