"""One task: an image of a run segmented or measured, or a stage of that, on whatever machine this is."""

import platform
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from cellscale.engines.tasks.project_entry_json import place_to_json
from cellscale.engines.tasks.results import Part, Task, TaskResult, find_result, write_result
from cellscale.engines.tasks.retries import is_last_try
from cellscale.engines.tasks.run_part import work_of
from cellscale.engines.tasks.spec import RunSpec, run_folder
from cellscale.engines.tasks.task_locks import image_lock
from cellscale.errors import RequestError
from cellscale.pipeline.events import ImageStarted, Listener, Notice
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.run_context import Placement
from cellscale.pipeline.untold import clear_told
from cellscale.qupath.project_image import ProjectImage
from cellscale.storage.redaction import redacted
from cellscale.storage.storage_errors import is_away
from cellscale.workspace.claim import Claim

__all__ = ["run_task"]

_WHOLE: dict[Task | Part, Task] = {
    "preprocess": "segment-image",
    "predict": "segment-image",
    "shapes": "measure-image",
}
"""Tasks that cannot be done where a part of them failed."""


def run_task(spec: RunSpec, task: Task | Part, index: int, listener: Listener) -> TaskResult:
    """Do a task of a run and write its result, unless that is there already.

    Where the store is away there is no result, so that the task can be tried again; its last try has one.

    Parameters
    ----------
    spec
        The run.
    task
        What to do: masks (``segment-image``), or tables and pictures from masks (``measure-image``), or a part of
        these by itself.
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
    TaskInProgressError
        Another process is at work on the image, or a run of another kind on the dataset; there is no result.
    StorageError
        The result cannot be written, or the store is away (`cellscale.storage.storage_errors.is_away`).
    """
    entry = spec.entry(index)
    with image_lock(spec, index):
        earlier = find_result(run_folder(spec), task, index)
        if earlier is not None and earlier.outcome.status != "failed":
            listener(Notice(entry.name, "info", f"{task}: done before"))
            return earlier
        return _done(spec, task, index, earlier, listener)


def _done(spec: RunSpec, task: Task | Part, index: int, earlier: TaskResult | None, listener: Listener) -> TaskResult:
    """Do a task whose lock is held."""
    entry = spec.entry(index)
    listener(ImageStarted(entry.name, index + 1, len(spec.entries)))
    places = list[ProjectImage]()
    last = is_last_try()
    placement = Placement(
        shared_state=True,
        position=index,
        run=spec.run,
        work=f"{spec.run} {task}",
        claim=Claim(spec.request.paths.jobs, spec.run, needed=False),
        tried_again=not last,
        enter_project=places.append,
    )
    template = TaskResult(
        task=task,
        index=index,
        outcome=ImageOutcome(image=entry.name, status="failed"),
        attempt=0 if earlier is None else earlier.attempt + 1,
        started=_now(),
        host=platform.node(),
    )
    try:
        outcome = _outcome(spec, task, index, listener, lambda: work_of(spec, task, index, listener, placement))
    except RequestError as error:
        if is_away(error) and not last:
            raise
        _write(spec, replace(template, outcome=ImageOutcome(image=entry.name, status="failed", error=str(error))))
        raise
    place = place_to_json(places[-1]) if places else None
    result = _write(spec, replace(template, outcome=outcome, place=place))
    clear_told(spec.request.paths.jobs, [entry.name])
    return result


def _outcome(
    spec: RunSpec, task: Task | Part, index: int, listener: Listener, work: Callable[[], ImageOutcome]
) -> ImageOutcome:
    """Do the work, if what it needs is there."""
    problem = None
    if spec.request.segment and task in ("measure-image", "shapes", "visualize"):
        problem = _segmentation_problem(spec, index)
    if problem is None:
        return work()
    listener(Notice(spec.entry(index).name, "error", problem))
    return ImageOutcome(image=spec.entry(index).name, status="failed", error=problem)


def _segmentation_problem(spec: RunSpec, index: int) -> str | None:
    """Return why an image has no masks of this run; None where it has."""
    segmented = find_result(run_folder(spec), "segment-image", index)
    if segmented is None:
        return "not measured: its segmentation did not end"
    if segmented.outcome.status == "failed":
        return f"not measured: its segmentation failed: {segmented.outcome.error}"
    return None


def _write(spec: RunSpec, result: TaskResult) -> TaskResult:
    """Write a result; that of a part that failed stands for the whole as well."""
    made = replace(result, outcome=_safe(result.outcome), finished=_now())
    write_result(run_folder(spec), made)
    whole = _WHOLE.get(made.task)
    if whole is not None and made.outcome.status == "failed":
        write_result(run_folder(spec), replace(made, task=whole, outcome=replace(made.outcome, stages=())))
    return made


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
