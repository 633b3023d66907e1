"""The end of a run: its true outcome from the results of its tasks, the QuPath project, the records."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

from cellscale.engines.end_of_run import close_run
from cellscale.engines.tasks.project_entry_json import place_from_json
from cellscale.engines.tasks.results import Part, Task, TaskResult, read_results
from cellscale.engines.tasks.retries import is_last_try
from cellscale.engines.tasks.spec import RunSpec, run_folder
from cellscale.engines.tasks.task_locks import end_lock
from cellscale.engines.tasks.task_records import parts_of_all
from cellscale.errors import RequestError, StorageError
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.measuring import list_in_project
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.pipeline.request import from_json, to_json
from cellscale.storage.atomic import write_bytes
from cellscale.storage.json_text import parsed_json
from cellscale.storage.storage_errors import is_away
from cellscale.storage.uri import Location, join, read_if_there

__all__ = ["finish_run", "gather_outcome", "parts_asked", "read_outcome"]

OUTCOME = "outcome.json"
_WORDS: dict[Task | Part, str] = {
    "segment-image": "segmentation", "measure-image": "measurement", "visualize": "visualization",
}  # fmt: skip
_LOST = "the machine was lost, ran out of memory or time, or could not reach the store"


def finish_run(spec: RunSpec, listener: Listener) -> RunOutcome:
    """Close a run all of whose tasks have ended, well or not; may be repeated.

    Parameters
    ----------
    spec
        The run.
    listener
        Is told of warnings.

    Returns
    -------
    What became of each image; also kept as ``outcome.json`` in the run's folder.

    Raises
    ------
    RunInProgressError
        A task of the run, or another run, is at work on the dataset.
    StorageError
        Results cannot be read, the outcome cannot be written, or the store is away.
    """
    with end_lock(spec):
        return _finished(spec, listener)


def _finished(spec: RunSpec, listener: Listener) -> RunOutcome:
    folder = run_folder(spec)
    results = _results(spec)
    measured = results.get("measure-image", {})
    outcome = _merged(spec, results)
    outcome = _with_project(spec, outcome, measured, listener)
    for image in outcome.failed:
        listener(Notice(image.image, "error", image.error or "failed"))
    outcome = close_run(
        spec.request,
        outcome,
        listener,
        engine=spec.engine,
        run_id=spec.run,
        parts=parts_of_all(spec),
        benchmark_table=spec.benchmark_table,
    )
    location = join(folder, OUTCOME)
    write_bytes(location, json.dumps(to_json(outcome), ensure_ascii=False).encode())
    listener(Notice("", "info", _told(spec, outcome, location, placed=any(one.place for one in measured.values()))))
    return outcome


def _told(spec: RunSpec, outcome: RunOutcome, location: Location, *, placed: bool) -> str:
    """Say what the end of a run found and made."""
    counts = Counter(image.status for image in outcome.images)
    images = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    made = [f"outcome: {location}", *(f"report: {place}" for place in outcome.outputs)]
    if placed:
        made.append(f"QuPath project: {spec.request.paths.project}")
    return f"the run {spec.run} is finished, {len(outcome.images)} images: {images}; {', '.join(made)}"


def read_outcome(spec: RunSpec) -> RunOutcome | None:
    """Return what `finish_run` kept; None where the run's end never came.

    Raises
    ------
    StorageError
        It cannot be known.
    RequestError
        It is damaged, or another version's.
    """
    location = join(run_folder(spec), OUTCOME)
    content = read_if_there(location)
    if content is None:
        return None
    try:
        facts = parsed_json(content)
    except ValueError as error:
        raise RequestError(f"{location} is no outcome of a run: {error}") from error
    return from_json(RunOutcome, facts, what=str(location))


def gather_outcome(spec: RunSpec) -> RunOutcome:
    """Return what is known of each image from the results that are there; images without one count as failed."""
    return _merged(spec, _results(spec))


def parts_asked(spec: RunSpec) -> tuple[Task | Part, ...]:
    """Return what each image of a run needs to be done, in the order of the work."""
    request, separate = spec.request, spec.options.stages == "separate"
    # In one process with a task, pictures are a part of it.
    asked: dict[Task | Part, bool] = {
        "segment-image": request.segment,
        "measure-image": request.measure,
        "visualize": request.outputs.visualize and separate and (request.segment or request.measure),
    }
    return tuple(part for part, is_asked in asked.items() if is_asked)


def _results(spec: RunSpec) -> dict[Task | Part, dict[int, TaskResult]]:
    """Return the results of each part by the position of the image."""
    folder = run_folder(spec)
    return {part: {one.index: one for one in read_results(folder, part)} for part in parts_asked(spec)}


def _merged(spec: RunSpec, results: Mapping[Task | Part, Mapping[int, TaskResult]]) -> RunOutcome:
    """Return the outcome of each image from those of its parts, up to the first that failed."""
    images = []
    for index, entry in enumerate(spec.entries):
        parts: list[ImageOutcome] = []
        for part, found in results.items():
            if not (parts and parts[-1].status == "failed"):
                result = found.get(index)
                lost = ImageOutcome(
                    image=entry.name, status="failed", error=f"its {_WORDS[part]} did not end: {_LOST}"
                )
                parts.append(result.outcome if result else lost)
        images.append(reduce(_joined, parts))
    return RunOutcome(tuple(images))


def _joined(first: ImageOutcome, last: ImageOutcome) -> ImageOutcome:
    """Return what two parts that follow each other say together."""
    done = "done" if "done" in (first.status, last.status) else last.status
    return replace(
        last,
        status="failed" if last.status == "failed" else done,
        cells=first.cells if last.cells is None else last.cells,
        nuclei=first.nuclei if last.nuclei is None else last.nuclei,
        unmatched_nuclei=first.unmatched_nuclei if last.unmatched_nuclei is None else last.unmatched_nuclei,
        facts=first.facts if first.facts.height else last.facts,  # the first part has read the image and knows most
        seconds=first.seconds + last.seconds,
        peak_memory=max(first.peak_memory, last.peak_memory),
        outputs=first.outputs + last.outputs,
        fates=first.fates + last.fates,
        notes=first.notes + last.notes,
        warnings=tuple(dict.fromkeys(first.warnings + last.warnings)),  # both tell what is known of the file
        stages=first.stages + last.stages,
    )


def _with_project(
    spec: RunSpec, outcome: RunOutcome, measured: Mapping[int, TaskResult], listener: Listener
) -> RunOutcome:
    """Bring the project's list of images up to date; where that cannot be, these images have failed."""
    placed = {index: result.place for index, result in measured.items() if result.place is not None}
    folder = spec.request.paths.project
    if folder is None or not placed:
        return outcome
    images = list(outcome.images)
    try:
        places = [place_from_json(placed[index]) for index in sorted(placed)]
        list_in_project(spec.request.paths, spec.request.measuring, places)
    except (StorageError, RequestError) as error:
        if is_away(error) and not is_last_try():
            raise
        for index in placed:
            images[index] = replace(images[index], status="failed", error=f"not in the QuPath project: {error}")
        listener(Notice("", "error", f"the QuPath project was not written: {error}"))
    return replace(outcome, images=tuple(images))
