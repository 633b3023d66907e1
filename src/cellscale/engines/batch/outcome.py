"""The true outcome of a run, from what its tasks wrote: Batch calls jobs SUCCEEDED that left nothing behind."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from cellscale.engines.tasks.results import TASKS, Task, TaskResult, read_results
from cellscale.engines.tasks.spec import SPEC_NAME, read_spec
from cellscale.errors import StorageError
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.pipeline.request import Request
from cellscale.storage.uri import Location, base_name, join, listing
from cellscale.workspace.layout import report_name

__all__ = ["read_outcome", "unfinished"]

_WORK: Mapping[Task, str] = {"segment-image": "segmentation", "measure-image": "measurement"}


def read_outcome(folder: Location, *, over: bool, leaves_no_results: Collection[Task] = ()) -> RunOutcome:
    """Return what became of each image of a run.

    An image is done if each of its tasks says so and every file that a task says it made is there.

    Parameters
    ----------
    folder
        Folder of the run.
    over
        Whether the run has ended: an image without a result has failed then, and waits otherwise.
    leaves_no_results
        Tasks of which only the files tell: those of the original's Java program.

    Raises
    ------
    RequestError
        The run's list of tasks, or a result, is missing or damaged.
    StorageError
        The bucket cannot be read.
    """
    spec = read_spec(join(folder, SPEC_NAME))
    tasks = tuple(task for task in _tasks(spec.request) if task not in leaves_no_results)
    results = {task: {result.index: result for result in read_results(folder, task)} for task in tasks}
    files = _files(spec.request)
    images = []
    for index, entry in enumerate(spec.entries):
        found = {task: results[task].get(index) for task in tasks}
        images.append(_checked(_merged(entry.name, found, over=over), spec.request, files, tasks))
    return RunOutcome(tuple(images))


def unfinished(outcome: RunOutcome) -> tuple[str, ...]:
    """Name the images that have to be taken up again."""
    return tuple(image.image for image in outcome.images if image.status in ("failed", "waiting"))


def _tasks(request: Request) -> tuple[Task, ...]:
    wanted = {"segment-image": request.segment, "measure-image": request.measure}
    return tuple(task for task in TASKS if wanted[task])


def _files(request: Request) -> set[str]:
    """Return the names of all masks and tables; one listing a folder, however many images there are."""
    names: set[str] = set()
    for folder in {str(request.paths.segmasks), str(request.paths.reports)}:
        try:
            names.update(entry.name for entry in listing(folder))
        except StorageError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
    return names


def _merged(image: str, results: Mapping[Task, TaskResult | None], *, over: bool) -> ImageOutcome:
    """Put together what became of an image in each task."""
    merged = ImageOutcome(image=image, status="kept")
    for task, result in results.items():
        if result is None:
            return _without_result(merged, task, over=over)
        merged = _joined(merged, result.outcome)
        if merged.status == "failed":
            return merged
    return merged


def _without_result(outcome: ImageOutcome, task: Task, *, over: bool) -> ImageOutcome:
    if not over:
        return replace(outcome, status="waiting")
    reason = (
        f"its {_WORK[task]} was not begun, or was stopped before its end (too little memory, cancelled, or too many "
        "preemptions); cellscale jobs logs tells more, cellscale jobs retry takes it up again"
    )
    return replace(outcome, status="failed", error=reason)


def _joined(first: ImageOutcome, second: ImageOutcome) -> ImageOutcome:
    """Return one outcome of two tasks that followed each other."""
    return replace(
        second,
        status=second.status if second.status != "kept" else first.status,
        cells=second.cells if second.cells is not None else first.cells,
        nuclei=second.nuclei if second.nuclei is not None else first.nuclei,
        seconds=first.seconds + second.seconds,
        peak_memory=max(first.peak_memory, second.peak_memory),
        outputs=first.outputs + second.outputs,
        notes=first.notes + second.notes,
        warnings=first.warnings + second.warnings,
        stages=first.stages + second.stages,
    )


def _checked(image: ImageOutcome, request: Request, files: set[str], tasks: tuple[Task, ...]) -> ImageOutcome:
    """Return the outcome, failed if a file is missing that should be there."""
    if image.status not in ("done", "kept"):
        return image
    expected = [base_name(output) for output in image.outputs]
    if request.measure and "measure-image" not in tasks:
        expected.append(report_name(image.image))
    missing = sorted(set(expected) - files)
    if not missing:
        return image
    return replace(image, status="failed", error=f"not all outputs are there: {', '.join(missing)} missing")
