"""Progress of one image as events, told from what its tasks report when they are done."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from time import perf_counter

from cellscale.pipeline.events import Advanced, ImageFinished, Listener, Notice, StageFinished, StageStarted
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.records.stage_cost import StageRecord

__all__ = ["Progress"]


class Progress:
    """Tells a listener of an image's stages, whose units are done on many workers, and sums up what they cost."""

    def __init__(self, image: str, listener: Listener) -> None:
        self.records: list[StageRecord] = []
        """Of all stages that have ended."""
        self._image = image
        self._listener = listener
        self._stage: StageStarted | None = None
        self._started = 0.0
        self._parts: list[StageRecord] = []

    def begin(self, stage: str, total: int, done: int) -> None:
        """Tell that a stage begins, of whose units earlier runs have done some."""
        self._stage = StageStarted(self._image, stage, total, done)
        self._started = perf_counter()
        self._listener(self._stage)

    def add(self, records: Iterable[StageRecord], units: int) -> None:
        """Take what a finished task reports."""
        self._parts.extend(records)
        if self._stage is not None:
            self._listener(Advanced(self._image, self._stage.stage, units))

    def end(self) -> None:
        """Tell that the stage, if there is one, has ended, and all others that its tasks had to do."""
        found = _summed(self._parts)
        if self._stage is not None:
            name = self._stage.stage
            record = replace(
                found.pop(name, StageRecord(name, 0.0, 0, 0, 0.0)),
                seconds=perf_counter() - self._started,
                earlier_units=self._stage.done,
            )
            self.records.append(record)
            self._listener(StageFinished(self._image, record))
        self._tell(list(found.values()))
        self._stage, self._parts = None, []

    def close(self, outcome: ImageOutcome) -> None:
        """Tell of the stages of an image's last task, and of what a person should know of the image."""
        self._tell(outcome.stages)
        for note in outcome.notes:
            self._listener(Notice(self._image, "info", note))
        for warning in outcome.warnings:
            self._listener(Notice(self._image, "warning", warning))
        if outcome.error is not None:
            self._listener(Notice(self._image, "error", outcome.error))
        self._listener(ImageFinished(self._image, outcome.status))

    def _tell(self, records: Sequence[StageRecord]) -> None:
        for record in records:
            self.records.append(record)
            self._listener(StageStarted(self._image, record.stage, record.units + record.earlier_units))
            self._listener(StageFinished(self._image, record))


def _summed(records: Iterable[StageRecord]) -> dict[str, StageRecord]:
    """Return one record for each stage: times and units of all, and the largest memory."""
    groups: dict[str, list[StageRecord]] = defaultdict(list)
    for record in records:
        groups[record.stage].append(record)
    return {stage: _sum(group) for stage, group in groups.items()}


def _sum(group: Sequence[StageRecord]) -> StageRecord:
    return StageRecord(
        stage=group[0].stage,
        seconds=sum(record.seconds for record in group),
        peak_memory=max(record.peak_memory for record in group),
        units=sum(record.units for record in group),
        busy_seconds=sum(record.busy_seconds for record in group),
        read_seconds=sum(record.read_seconds for record in group),
        write_seconds=sum(record.write_seconds for record in group),
        earlier_units=sum(record.earlier_units for record in group),
    )
