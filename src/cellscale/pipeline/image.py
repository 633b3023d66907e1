"""One image of a dataset, from its file to all its outputs; what goes wrong with it ends here."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from cellscale.errors import CellscaleError, DefectError, ImageError, RequestError, StorageError
from cellscale.faults import failure_text
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.measuring.measure_image import measure_image
from cellscale.pipeline.model import Model
from cellscale.pipeline.outcome import ImageOutcome, OutputFate
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import misfit_text
from cellscale.pipeline.run_context import ALONE, Placement
from cellscale.pipeline.untold import continued, image_mark, keep_untold, untold
from cellscale.records.machine import this_machine
from cellscale.records.meter import Meter
from cellscale.records.shared_clock import SharedClock
from cellscale.storage.storage_errors import is_away
from cellscale.storage.uri import find
from cellscale.workspace.discovery import ImageEntry

__all__ = ["attempt", "process_image"]

_LOG = logging.getLogger(__name__)


def process_image(
    entry: ImageEntry,
    request: Request,
    model: Model | None,
    budget: Budget,
    listener: Listener,
    placement: Placement = ALONE,
) -> ImageOutcome:
    """Do with one image what the request asks for.

    Parameters
    ----------
    entry
        The image.
    request
        What to do.
    model
        The network; None where only measuring is asked for.
    budget
        How much of the machine may be used.
    listener
        Is told of progress.
    placement
        How the work fits in with that on other images.

    Returns
    -------
    What became of the image, its errors included.

    Raises
    ------
    RequestError
        The request itself is wrong, for this image and all others.
    """
    asked = request.of(entry.name)
    return attempt(entry, budget, listener, placement, lambda run: _worked(run, entry, asked, model))


def attempt(
    entry: ImageEntry,
    budget: Budget,
    listener: Listener,
    placement: Placement,
    work: Callable[[ImageRun], ImageOutcome],
) -> ImageOutcome:
    """Work on an image, and return what became of it, errors and costs included.

    Parameters
    ----------
    entry
        The image.
    budget
        How much of the machine may be used.
    listener
        Is told of progress.
    placement
        How the work fits in with that on other images.
    work
        What to do.

    Raises
    ------
    RequestError
        The request itself is wrong, for this image and all others.
    CellscaleError
        The store was away, and the placement says that the image is tried again.
    """
    run = ImageRun(entry.name, listener, budget, placement=placement)
    run.learn(file_bytes=entry.size, workers=budget.run_workers)
    jobs = None if placement.claim is None or placement.work is None else placement.claim.jobs
    mark = image_mark(entry, placement.work or "")
    earlier = None if jobs is None else untold(jobs, entry.name, mark)
    with (placement.clock or SharedClock()).sharing() as run.share, Meter(run.share) as meter:
        share = run.share

        def told(outcome: ImageOutcome) -> ImageOutcome:
            """Return an outcome with all that is known of the work, and that of an earlier run."""
            known = replace(
                outcome,
                seconds=meter.seconds,
                processor_seconds=meter.processor_seconds,
                peak_memory=meter.peak_memory,
                warnings=tuple(run.warnings),
                notes=tuple(run.notes),
                fates=tuple(OutputFate(place, fate) for place, fate in run.fates.items()),
                stages=tuple(run.records),
                facts=replace(run.facts, side_by_side=share.most),
                machine=this_machine(),
                run=placement.claim.run if placement.claim is not None else "",
                finished_utc=datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds"),
            )
            return known if earlier is None else continued(earlier, known)

        if jobs is not None:

            def keep() -> None:
                meter.read()
                keep_untold(
                    jobs, mark, replace(told(ImageOutcome(image=entry.name, status="waiting")), finished_utc="")
                )

            run.after_stage = keep
        try:
            outcome = work(run)
        except RequestError:
            raise
        except Exception as error:  # whatever is wrong with one image must not stop the others
            if placement.tried_again and is_away(error):
                raise
            if not isinstance(error, CellscaleError) or isinstance(error, DefectError):
                _LOG.debug("unexpected error in image %s", entry.name, exc_info=True)
            outcome = _failed(run, failure_text(error))
    if outcome.status == "done":
        run.learn(output_bytes=_bytes(outcome.outputs))
    outcome = told(outcome)
    if jobs is not None and run.records:
        keep_untold(jobs, mark, outcome)
    return outcome


def _worked(run: ImageRun, entry: ImageEntry, request: Request, model: Model | None) -> ImageOutcome:
    """Segment, measure, or both."""
    if entry.problem is not None:
        raise ImageError(entry.problem)
    outcome = ImageOutcome(image=entry.name, status="kept")
    if model is not None:
        # Imported here, as the pictures below: their libraries take long to load, and who only measures needs none.
        from cellscale.pipeline.segmenting.segment_image import segment_image

        masks = segment_image(run, entry, request, model)
        outcome = replace(
            outcome,
            status="done" if masks.made else "kept",
            cells=masks.counts.get("whole-cell"),
            nuclei=masks.counts.get("nuclear"),
            outputs=tuple(str(output) for output in masks.outputs),
        )
    if request.measure:
        report = measure_image(run, entry, request, masks_to_come=outcome.status == "done" and request.dry_run)
        outcome = replace(
            outcome,
            status="done" if report.made else outcome.status,
            cells=report.cells if report.cells is not None else outcome.cells,
            nuclei=report.nuclei if report.nuclei is not None else outcome.nuclei,
            unmatched_nuclei=report.unmatched_nuclei,
            outputs=outcome.outputs + tuple(str(output) for output in report.outputs),
        )
    if request.outputs.visualize or request.outputs.report:
        from cellscale.pipeline.pictures import picture_image

        seen = picture_image(run, entry, request, masks_to_come=outcome.status == "done" and request.dry_run)
        outcome = replace(
            outcome,
            status="done" if seen.made and request.outputs.visualize else outcome.status,
            outputs=outcome.outputs + tuple(str(output) for output in seen.outputs),
        )
    if run.misfits:
        return replace(_failed(run, misfit_text(run.misfits)), outputs=outcome.outputs)
    return replace(outcome, status="planned") if request.dry_run and outcome.status == "done" else outcome


def _bytes(outputs: Iterable[str]) -> int:
    """Return the size of files together, as far as it can be known."""
    with suppress(StorageError):
        return sum(entry.size for output in outputs if (entry := find(output)) is not None)
    return 0


def _failed(run: ImageRun, reason: str) -> ImageOutcome:
    reason = reason.removeprefix(f"{run.image}: ")  # whoever tells it says of which image
    run.listener(Notice(run.image, "error", reason))
    return ImageOutcome(image=run.image, status="failed", error=reason)
