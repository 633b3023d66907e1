"""The two lines that tell how far a run is, each as wide as it may be."""

from cellscale.cli.output.display.compilation import Compilation
from cellscale.cli.output.display.progress_words import clock, roughly
from cellscale.cli.output.display.run_progress import ImageProgress, RunProgress
from cellscale.cli.output.printable import printable

__all__ = ["image_line", "run_line", "times"]

_COMPILING = "compiling numeric code, once per installation"
_FIRST = "getting ready"
_BETWEEN = "between two steps"
_NAME = 28
_BAR = 16


def run_line(run: RunProgress) -> str:
    """Return how many images are done, the time so far and the time left."""
    parts = [f"{run.finished:,} of {run.count:,} {'image' if run.count == 1 else 'images'} done"] if run.count else []
    if run.failed:
        parts.append(f"{run.failed:,} failed")
    return " · ".join([*parts, times(run)])


def times(run: RunProgress) -> str:
    """Return the time so far, and the time left where anything is known of it."""
    left = run.seconds_left() if run.finished < run.count else None
    so_far = f"{clock(run.elapsed)} so far"
    return so_far if left is None else f"{so_far} · about {roughly(left)} left"


def image_line(image: ImageProgress, compilation: Compilation, width: int, *, bar: bool = True) -> str:
    """Return an image's name, what is done with it, how far that is, and the cells so far.

    Parameters
    ----------
    image
        The image.
    compilation
        What is being compiled.
    width
        Characters that the line may have.
    bar
        Whether the part that is done is drawn.
    """
    name = printable(image.name)
    start = f"{_cut(name, _NAME)}: " if name else ""
    steps = [
        f"{name} {stage.done:,}/{stage.total:,}" if stage.total > 1 else name for name, stage in image.at_work.items()
    ]
    # Afterwards small ones are removed, and the numbers of the tables hold.
    cells = f"{image.cells:,} cells so far" if image.cells and "labels" in image.at_work else ""
    if compilation.is_running:
        steps, cells = [_COMPILING], ""
    # The network comes first where blocks are labelled beside it: it is what takes the time.
    told = ", ".join(sorted(steps, key=lambda step: not step.startswith("network")))
    line = start + " · ".join(filter(None, (told or (_BETWEEN if image.stages else _FIRST), cells)))
    room = width - len(line) - 1
    if bar and name and room >= _BAR and not compilation.is_running and image.stages:
        line += " " + _drawn(image.fraction, _BAR)
    return _cut(line, width)


def _drawn(fraction: float, width: int) -> str:
    full = round(fraction * width)
    return "━" * full + "╌" * (width - full)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
