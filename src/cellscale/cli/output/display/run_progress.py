"""What is known of a run under way, from the pipeline's events."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cellscale.cli.output.display.expected import expect
from cellscale.cli.output.display.time_left import TimeLeft
from cellscale.pipeline.events import (
    Advanced,
    Event,
    ImageFinished,
    ImagesSeen,
    ImageStarted,
    StageFinished,
    StageStarted,
)

__all__ = ["ImageProgress", "RunProgress", "StageProgress"]

_SHARES: Mapping[str, float] = {
    "statistics": 2,
    "equalisation": 2,
    "network": 70,
    "labels": 10,
    "numbering": 1,
    "masks": 2,
    "measurement": 6,
    "project": 2,
    "tables": 3,
    "pictures": 2,
}
"""What stages take of the time of an image, in hundredths, as benchmarks on processors show it; for guesses."""


@dataclass(slots=True)
class StageProgress:
    """A stage that began."""

    total: int
    done: int
    is_over: bool = False

    @property
    def fraction(self) -> float:
        """Part that is done, from 0 to 1."""
        return 1.0 if self.is_over or not self.total else min(self.done / self.total, 1.0)


@dataclass(slots=True)
class ImageProgress:
    """An image at work."""

    name: str
    stages: dict[str, StageProgress] = field(default_factory=dict)
    cells: int | None = None
    """Found so far."""

    @property
    def at_work(self) -> dict[str, StageProgress]:
        """The stages that are not over, in the order in which they began."""
        return {name: stage for name, stage in self.stages.items() if not stage.is_over}

    @property
    def fraction(self) -> float:
        """Guess at the part of the image that is done, from 0 to 1."""
        shares = {name: share for name, share in _SHARES.items() if name != "network" or not self._is_measured_only}
        done = sum(shares.get(name, 0) * stage.fraction for name, stage in self.stages.items())
        return min(done / sum(shares.values()), 1.0)

    @property
    def may_wait(self) -> bool:
        """Whether all that is left to do may be waiting for the images before it to enter the project."""
        at_work = self.at_work
        return at_work.keys() == {"project"} and not at_work["project"].done

    @property
    def _is_measured_only(self) -> bool:
        return "measurement" in self.stages and "network" not in self.stages


class RunProgress:
    """Follows a run's events; safe to be asked from another thread.

    Parameters
    ----------
    now
        Seconds of a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = now()
        self._lock = threading.Lock()
        self._images: dict[str, ImageProgress] = {}
        self.count = 0
        """Images of the run; 0 until the first one begins."""
        self.finished = 0
        self.failed = 0
        self.time_left = TimeLeft()

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        with self._lock:
            self._note(event)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._now() - self._began

    def waited(self, seconds: float) -> None:
        """Leave out seconds that no later image will take, such as those of compiling."""
        with self._lock:
            self.time_left.waited(seconds)

    def at_work(self) -> list[ImageProgress]:
        """Return the images that are worked on in the order in which they began, those last that may only wait."""
        with self._lock:
            return sorted(self._images.values(), key=lambda image: image.may_wait)

    def seconds_left(self) -> float | None:
        """Return how long the run will still take; None where nothing is known of that."""
        with self._lock:
            under_way = {image.name: image.fraction for image in self._images.values()}
            return self.time_left.seconds(self.elapsed, under_way, self.count - self.finished - len(under_way))

    def _note(self, event: Event) -> None:
        if isinstance(event, ImagesSeen):
            expect(event, self.time_left)
        elif isinstance(event, ImageStarted):
            self.count = event.count
            self._images[event.image] = ImageProgress(event.image)
            self.time_left.begin(event.image, self.elapsed)
        elif isinstance(event, ImageFinished):
            self._images.pop(event.image, None)
            self.finished += 1
            self.failed += event.status == "failed"
            self.time_left.finish(event.image, self.elapsed, worked=event.status == "done")
        elif isinstance(event, StageStarted):
            self._image(event.image).stages[event.stage] = StageProgress(event.total, event.done)
        elif isinstance(event, Advanced):
            image = self._image(event.image)
            image.cells = image.cells if event.cells is None else event.cells
            if event.stage in image.stages:
                image.stages[event.stage].done += event.units
        elif isinstance(event, StageFinished) and event.record.stage in self._image(event.image).stages:
            self._image(event.image).stages[event.record.stage].is_over = True

    def _image(self, name: str) -> ImageProgress:
        """Return an image; also the run as a whole, and others that were not announced."""
        return self._images.setdefault(name, ImageProgress(name))
