"""The true outcome of a run, from what its tasks wrote: Batch calls jobs SUCCEEDED that left nothing behind."""

from dataclasses import replace

from cellscale.engines.batch.submission import Submission
from cellscale.engines.tasks.finish import gather_outcome, parts_asked, read_outcome
from cellscale.engines.tasks.results import finished_tasks
from cellscale.engines.tasks.spec import SPEC_NAME, RunSpec, read_spec
from cellscale.errors import StorageError
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.storage.uri import Location, base_name, join, listing
from cellscale.workspace.layout import report_name

__all__ = ["run_outcome", "unfinished"]


def run_outcome(folder: Location, submission: Submission, *, over: bool) -> RunOutcome:
    """Return what became of each image of a run.

    An image is done if each of its tasks says so and every file that a task says it made is there, and, when the run
    is over, if its end says so as well. Of what the original's Java program measures only the table tells.

    Parameters
    ----------
    folder
        Folder of the run.
    submission
        The run.
    over
        Whether none of the run's jobs waits or works any more: an image without a result has failed then, and waits
        otherwise.

    Returns
    -------
    What became of the run; it has failed as a whole where it is over and its end never came.

    Raises
    ------
    RequestError
        The run's list of tasks, or a result, is missing or damaged.
    StorageError
        The bucket cannot be read.
    """
    spec = read_spec(join(folder, SPEC_NAME))
    files = _files(spec)
    tables = [report_name(entry.name) if submission.java else None for entry in spec.entries]
    waiting = set() if over else _waiting(folder, spec, files, tables)
    told = _ended(folder, spec) if over else _told(spec)
    images = [
        replace(image, status="waiting", error=None) if index in waiting else _checked(image, files, tables[index])
        for index, image in enumerate(told.images)
    ]
    return replace(told, images=tuple(images))


def unfinished(outcome: RunOutcome) -> tuple[str, ...]:
    """Name the images that have to be taken up again."""
    return tuple(image.image for image in outcome.images if image.status in ("failed", "waiting"))


def _ended(folder: Location, spec: RunSpec) -> RunOutcome:
    """Return what the end of the run says, or without one what the tasks say."""
    if not _has_tasks(spec):
        return _told(spec)
    outcome = read_outcome(spec)
    if outcome is not None:
        return outcome
    missing = (
        "the end of the run is missing: what is done has no entry in the QuPath project, the benchmark records and "
        f"the report yet. Make up for it: cellscale stage finish --tasks_spec_uri {join(folder, SPEC_NAME)}"
    )
    return replace(_told(spec), error=missing)


def _told(spec: RunSpec) -> RunOutcome:
    """Return what the tasks say; they say nothing where only the Java program was at work."""
    if _has_tasks(spec):
        return gather_outcome(spec)
    return RunOutcome(tuple(ImageOutcome(image=entry.name, status="done") for entry in spec.entries))


def _has_tasks(spec: RunSpec) -> bool:
    """Tell whether tasks of ours are at work, and an end of the run that gathers what they did."""
    return spec.request.segment or spec.request.measure


def _files(spec: RunSpec) -> set[str]:
    """Return the names of all masks and tables; one listing a folder, however many images there are."""
    paths, names = spec.request.paths, set[str]()
    for folder in {str(paths.segmasks), str(paths.reports)}:
        try:
            names.update(entry.name for entry in listing(folder))
        except StorageError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
    return names


def _waiting(folder: Location, spec: RunSpec, files: set[str], tables: list[str | None]) -> set[int]:
    """Return the indices of images that a task of theirs has not spoken of yet."""
    indices = set(range(len(spec.entries)))
    waiting = {index for index, table in enumerate(tables) if table is not None and table not in files}
    for part in parts_asked(spec):
        waiting |= indices - finished_tasks(folder, part)
    return waiting


def _checked(image: ImageOutcome, files: set[str], table: str | None) -> ImageOutcome:
    """Return the outcome, failed if a file is missing that should be there."""
    if image.status not in ("done", "kept"):
        return image
    expected = {base_name(output) for output in image.outputs} | ({table} if table else set())
    missing = sorted(expected - files)
    if not missing:
        return image
    return replace(image, status="failed", error=f"not all outputs are there: {', '.join(missing)} missing")
