"""One image's way through the cluster: which tasks it needs, and which of them come next."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, TypeVar

from distributed.scheduler import KilledWorker

from cellscale.engines.dask import worker_tasks
from cellscale.engines.dask.failure import Failure
from cellscale.engines.dask.image_progress import Progress
from cellscale.errors import RequestError
from cellscale.pipeline.events import ImageStarted, Listener
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.segmenting import SharePlan
from cellscale.pipeline.untold import continued
from cellscale.qupath.project_image import ProjectImage
from cellscale.workspace.discovery import ImageEntry

__all__ = ["ImageWork", "Step"]

WHOLE = 8
"""Groups of tiles, and blocks, up to which an image is one task."""
GROUPS = 4
"""Groups of tiles in a task: some ten seconds' work for one core."""
BLOCKS = 8
"""Blocks in a task."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One task."""

    image: "ImageWork"
    function: Callable[..., Any]
    """What a worker is to call with the job, the image's entry and the arguments."""
    arguments: tuple[Any, ...] = ()
    units: int = 1
    """Units of its stage that it does."""


class ImageWork:
    """The state of the work on one image, kept where tasks are given out.

    The last task alone decides what becomes of the image: it does whatever is left. So a task before it that fails is
    not tried again; the last one then comes to the same end, or to a better one.
    """

    def __init__(
        self,
        entry: ImageEntry,
        position: int,
        count: int,
        listener: Listener,
    ) -> None:
        self.entry = entry
        self.outcome: ImageOutcome | None = None
        self.places: tuple[ProjectImage, ...] = ()
        self.killed: KilledWorker | None = None
        """Why the work stopped: several workers died, each while it was at work on the same task."""
        self.position = position
        """From 1."""
        self._count = count
        self._listener = listener
        self._progress = Progress(entry.name, listener)
        self.keep: Callable[[ImageOutcome], None] = lambda outcome: None
        """Is given what is known of the costs so far."""
        self.recall: Callable[[], ImageOutcome | None] = lambda: None
        """Returns what an earlier run kept of them, and did not come to tell."""
        self._earlier: ImageOutcome | None = None
        self._open: list[Step] = []
        self._stages: Iterator[list[Step]] = iter([[Step(self, worker_tasks.plan)]])
        self._started = 0.0

    def begin(self) -> Sequence[Step]:
        """Return what is to be done now: the first step, or those at which the work stopped."""
        self.killed = None
        if self._open:
            return tuple(self._open)
        self._started = perf_counter()
        self._earlier = self.recall()
        self._listener(ImageStarted(self.entry.name, self.position, self._count))
        return self._advance()

    def after(self, step: Step, result: Any) -> Sequence[Step]:
        """Take the result of a step, or why it has none, and return what can be done now.

        Raises
        ------
        RequestError
            A worker cannot do its part of this image or any other.
        """
        if step not in self._open:
            return ()
        if isinstance(result, Failure) and result.refused:
            raise RequestError(result.reason)
        if isinstance(result, KilledWorker):
            self.killed = result
            return ()
        self._open.remove(step)
        if isinstance(result, Failure):
            return self._after_failure(step, result)
        if isinstance(result, worker_tasks.Finished):
            self._finish(result)
        elif isinstance(result, SharePlan):
            self._stages = iter(self._shared(result))
        else:
            self._progress.add(result, step.units)
        return () if self._open else self._advance()

    def needs(self, step: Step) -> bool:
        """Tell whether a step is still to be done."""
        return self.killed is None and step in self._open

    def fail(self, reason: str) -> None:
        """End the work on the image."""
        self._open.clear()
        self._progress.end()
        self._finish(worker_tasks.Finished(ImageOutcome(image=self.entry.name, status="failed", error=reason), ()))

    def _advance(self) -> Sequence[Step]:
        self._progress.end()
        if self._progress.records and self.outcome is None:
            self.keep(self._costed(ImageOutcome(image=self.entry.name, status="waiting")))
        self._open = next(self._stages, [])
        return tuple(self._open)

    def _shared(self, plan: SharePlan) -> Iterator[list[Step]]:
        """Yield the steps of each stage in turn."""
        groups, blocks = plan.missing_groups, plan.missing_blocks
        shared = max(len(groups), len(blocks)) > WHOLE
        if shared:
            yield [Step(self, worker_tasks.prepare)]
            if groups:
                self._progress.begin("network", plan.groups, plan.groups - len(groups))
                yield [Step(self, worker_tasks.predict, (part,), len(part)) for part in _parts(groups, GROUPS)]
            self._progress.begin("labels", plan.blocks, plan.blocks - len(blocks))
            yield [Step(self, worker_tasks.label, (part,), len(part)) for part in _parts(blocks, BLOCKS)]
        yield [self._last_step(alone=not shared)]

    def _after_failure(self, step: Step, failure: Failure) -> Sequence[Step]:
        if step.function is worker_tasks.finish:
            self.fail(failure.reason)
            return ()
        self._open.clear()
        self._stages = iter([[self._last_step(alone=False)]])
        return self._advance()

    def _last_step(self, *, alone: bool) -> Step:
        return Step(self, worker_tasks.finish, (self.position - 1, alone))

    def _finish(self, finished: worker_tasks.Finished) -> None:
        self._progress.close(finished.outcome)
        self.outcome, self.places = self._costed(finished.outcome), finished.places
        if self._progress.records:
            self.keep(self.outcome)

    def _costed(self, outcome: ImageOutcome) -> ImageOutcome:
        """Return an outcome with what all tasks cost, those of an earlier run included that was stopped."""
        records = self._progress.records
        costed = replace(
            outcome,
            seconds=perf_counter() - self._started,
            peak_memory=max([outcome.peak_memory, *(record.peak_memory for record in records)]),
            stages=tuple(records),
        )
        return costed if self._earlier is None else continued(self._earlier, costed)


def _parts(items: tuple[T, ...], size: int) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
