"""One task: an image of a run segmented or measured, on whatever machine this is."""

import platform
from dataclasses import replace
from datetime import UTC, datetime

from cellscale.engines.tasks.places import place_to_json
from cellscale.engines.tasks.results import Task, TaskResult, find_result, write_result
from cellscale.engines.tasks.spec import RunSpec, run_folder
from cellscale.engines.worker import choose_model, require_extras
from cellscale.errors import RequestError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ImageStarted, Listener, Notice
from cellscale.pipeline.image import process_image
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.placement import Placement
from cellscale.qupath.project_images import ProjectImage
from cellscale.storage.redaction import redacted

__all__ = ["run_task"]


def run_task(spec: RunSpec, task: Task, index: int, listener: Listener) -> TaskResult:
    """Do a task of a run and write its result, unless that is there already.

    Parameters
    ----------
    spec
        The run.
    task
        What to do: masks (``segment-image``), or tables and pictures from masks (``measure-image``).
    index
        Which image.
    listener
        Is told of progress.

    Returns
    -------
    What became of the image.

    Raises
    ------
    RequestError
        The request is wrong for all images: no weights, say. The result says so, too.
    StorageError
        The result cannot be written.
    """
    folder, entry = run_folder(spec), spec.entry(index)
    earlier = find_result(folder, task, index)
    if earlier is not None and earlier.outcome.status != "failed":
        listener(Notice(entry.name, "info", f"{task}: done before"))
        return earlier
    started, places = _now(), list[ProjectImage]()
    listener(ImageStarted(entry.name, index + 1, len(spec.entries)))

    def result(outcome: ImageOutcome) -> TaskResult:
        made = TaskResult(
            task=task,
            index=index,
            outcome=_safe(outcome),
            attempt=0 if earlier is None else earlier.attempt + 1,
            started=started,
            finished=_now(),
            host=platform.node(),
            place=place_to_json(places[-1]) if places else None,
        )
        write_result(folder, made)
        return made

    placement = Placement(shared_state=True, position=index, enter_project=places.append)
    try:
        return result(_outcome(spec, task, index, listener, placement))
    except RequestError as error:
        result(ImageOutcome(image=entry.name, status="failed", error=str(error)))
        raise


def _outcome(spec: RunSpec, task: Task, index: int, listener: Listener, placement: Placement) -> ImageOutcome:
    entry, request = spec.entry(index), spec.request
    if task == "measure-image" and request.segment:
        problem = _segmentation_problem(spec, index)
        if problem is not None:
            listener(Notice(entry.name, "error", problem))
            return ImageOutcome(image=entry.name, status="failed", error=problem)
    own = replace(request, segment=task == "segment-image", measure=task == "measure-image", dry_run=False)
    require_extras(own)
    budget = Budget.choose(own.workers, own.max_memory)
    return process_image(entry, own, choose_model(own), budget, listener, placement)


def _segmentation_problem(spec: RunSpec, index: int) -> str | None:
    """Return why an image has no masks of this run; None where it has."""
    segmented = find_result(run_folder(spec), "segment-image", index)
    if segmented is None:
        return "not measured: its segmentation did not end"
    if segmented.outcome.status == "failed":
        return f"not measured: its segmentation failed: {segmented.outcome.error}"
    return None


def _safe(outcome: ImageOutcome) -> ImageOutcome:
    """Return an outcome whose texts give nobody access to anything."""
    return replace(
        outcome,
        error=None if outcome.error is None else redacted(outcome.error),
        notes=tuple(map(redacted, outcome.notes)),
        warnings=tuple(map(redacted, outcome.warnings)),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
