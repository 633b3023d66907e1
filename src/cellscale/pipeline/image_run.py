"""Running the stages of one image: who listens, what it costs, how many workers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from threading import Lock
from time import perf_counter
from typing import Any, Literal

from cellscale.images.info import ImageInfo
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Advanced, Listener, Notice, StageFinished, StageStarted
from cellscale.pipeline.outcome import Fate
from cellscale.pipeline.run_context import ALONE, Placement
from cellscale.pipeline.trim import give_back
from cellscale.records.image_facts import ImageFacts
from cellscale.records.meter import Meter
from cellscale.records.shared_clock import Share
from cellscale.records.stage_cost import StageRecord
from cellscale.records.stopwatch import Stopwatch
from cellscale.storage.uri import Location
from cellscale.workspace.identity import Identity

__all__ = ["ImageRun"]

SMALL = 2**21
"""Pixels of an image below which what its stages leave is no memory to speak of."""


@dataclass(slots=True)
class ImageRun:
    """One image's way through the pipeline: its name, its listener, its budget and the records so far."""

    image: str
    listener: Listener
    budget: Budget
    records: list[StageRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reading: Stopwatch = field(default_factory=Stopwatch)
    """Counts what is spent on reading the image."""
    placement: Placement = ALONE
    share: Share | None = None
    """Of the time of the process; None for all of it."""
    identity: Identity | None = None
    """What the image's files held when the work began."""
    misfits: list[str] = field(default_factory=list)
    """Outputs that a person changed and that belong to other inputs: left, and named where the image ends."""
    fates: dict[str, Fate] = field(default_factory=dict)
    """What became of each output so far, by its place."""
    after_stage: Callable[[], None] = field(default=lambda: None)
    """Called when a stage has ended and is on record."""
    facts: ImageFacts = field(default_factory=ImageFacts)
    """What is known of the image and of how it is worked on."""

    @contextmanager
    def stage(
        self,
        name: str,
        total: int,
        done: int = 0,
        *,
        reading: Stopwatch | None = None,
        writing: Stopwatch | None = None,
    ) -> Iterator[Callable[..., None]]:
        """Announce a stage, measure it, and give its body a function to call after finished units.

        The function takes how many units, 1 if left out, the processor time that a worker spent on them, and how many
        cells were found so far. What the stopwatches count meanwhile goes into the stage's record.
        """
        finished, worked = 0, 0.0

        def advance(units: int = 1, busy: float = 0.0, cells: int | None = None) -> None:
            nonlocal finished, worked
            with lock:
                finished += units
                worked += busy
            self.listener(Advanced(self.image, name, units, cells))

        lock = Lock()
        self.listener(StageStarted(self.image, name, total, done))
        clocks = (reading or Stopwatch(), writing or Stopwatch())
        before = [clock.seconds for clock in clocks]
        start = perf_counter()
        with Meter(self.share) as meter:
            yield advance
        read, written = (clock.seconds - earlier for clock, earlier in zip(clocks, before, strict=True))
        # Writing is a part of the stage's seconds, which are a part of those that passed.
        written *= min(meter.seconds / max(perf_counter() - start, 1e-9), 1.0) if self.share is not None else 1.0
        record = StageRecord(
            name, meter.seconds, meter.peak_memory, finished, worked, read, written, done, meter.processor_seconds
        )
        self.records.append(record)
        self.after_stage()
        self.listener(StageFinished(self.image, record))

    def give_back(self) -> None:
        """Return free memory to the system, which takes a while, unless the image is known to be small."""
        if not 0 < self.facts.height * self.facts.width < SMALL:
            give_back()

    def fence(self) -> None:
        """Check that this run may write: that no other one has taken the dataset over.

        Raises
        ------
        RunInProgressError
            One has.
        StorageError
            It cannot be known.
        """
        if self.placement.claim is not None:
            self.placement.claim.require()

    def wait_for_turn(self, *, idle: bool = False) -> None:
        """Wait until all images before this one have entered the QuPath project, or will not.

        Parameters
        ----------
        idle
            Whether nothing else is done for the image meanwhile, so that others may have what it takes.
        """
        turns = self.placement.turns
        if turns is None or turns.has_come(self.image):
            return
        if not idle:
            turns.wait(self.image)
            return
        with self.share.waiting() if self.share is not None else nullcontext(), self.placement.rest():
            turns.wait(self.image)

    def end_turn(self) -> None:
        """Let the next image enter the project."""
        if self.placement.turns is not None:
            self.placement.turns.end(self.image)

    def note_fate(self, fate: Fate, places: Iterable[Location]) -> None:
        """Note what became of outputs: of what is made or removed when that has been done."""
        self.fates.update((str(place), fate) for place in places)

    def learn(self, **facts: Any) -> None:
        """Note some of the `ImageFacts`."""
        self.facts = replace(self.facts, **facts)

    def learn_image(self, info: ImageInfo) -> None:
        """Note what the image's metadata say, and tell what the user should know of it, once."""
        self.learn(
            height=info.height, width=info.width, channels=len(info.channels), sample_bytes=info.dtype.itemsize
        )
        for text in info.warnings:
            if text not in self.warnings:
                self.notice(text, "warning")
        for text in info.notes:
            if text not in self.notes:
                self.notice(text)

    def notice(self, text: str, level: Literal["info", "warning"] = "info") -> None:
        """Tell the listener something a person should know, and keep it for the summary."""
        (self.warnings if level == "warning" else self.notes).append(text)
        self.listener(Notice(self.image, level, text))
