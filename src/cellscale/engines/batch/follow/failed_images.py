"""The failed images of a run, taken up again by a run of their own."""

from dataclasses import replace

from cellscale.engines.batch.follow.true_outcome import run_outcome, unfinished
from cellscale.engines.batch.submission import Submission, active_run, is_at_work, read_submission
from cellscale.engines.batch.submit import submit
from cellscale.engines.tasks.finish import finish_run
from cellscale.engines.tasks.results import read_results
from cellscale.engines.tasks.spec import SPEC_NAME, RunSpec, read_spec
from cellscale.errors import RequestError, RunInProgressError
from cellscale.pipeline.events import ignore
from cellscale.pipeline.outcome import RunOutcome
from cellscale.storage.uri import join

__all__ = ["retry_run"]


def retry_run(
    folder: str,
    *,
    segmentation_compute_config: str | None = None,
    measurement_compute_config: str | None = None,
) -> tuple[str, Submission, tuple[str, ...]]:
    """Submit a run of the images of another that are not done; the others are left alone.

    Masks that are there are not made again: where all failed images have theirs, the new run only measures. Where the
    end of the run is missing, as after it was cancelled, it is made up for first, so that what is done is entered.

    Parameters
    ----------
    folder
        Folder of the run whose images failed.
    segmentation_compute_config, measurement_compute_config
        Other machines than before.

    Returns
    -------
    URI of the new run's folder; its submission; names of images that are not taken up, as they are gone.

    Raises
    ------
    RequestError
        The run has no failed images, or none that is still there, or is still at work.
    """
    before = read_submission(folder)
    if is_at_work(before):
        raise RunInProgressError(f"{folder} is still at work: wait for it with cellscale jobs wait {folder}")
    spec = read_spec(join(folder, SPEC_NAME))
    names = unfinished(_outcome(folder, before, spec))
    if not names:
        raise RequestError(f"all images of {folder} are done; there is nothing to try again")
    measure = spec.request.measure or before.java
    request = replace(
        spec.request,
        measure=measure,
        # Pictures alone are no step: where nothing is measured they are made when the masks are found to be there.
        segment=spec.request.segment and not (measure and _segmented(folder, spec, names)),
    )
    options = replace(
        spec.options,
        segmentation_compute_config=segmentation_compute_config or spec.options.segmentation_compute_config,
        measurement_compute_config=measurement_compute_config or spec.options.measurement_compute_config,
    )
    new, submission, _ = submit(request, options, only=names, retry_of=before.run)
    taken = {entry.name for entry in read_spec(join(new, SPEC_NAME)).entries}
    return new, submission, tuple(name for name in names if name not in taken)


def _outcome(folder: str, before: Submission, spec: RunSpec) -> RunOutcome:
    """Return what became of a run that is over; its end is made up for where it is missing."""
    outcome = run_outcome(folder, before, over=True)
    if outcome.error is None or active_run(spec.request.paths.jobs) is not None:
        return outcome
    finish_run(spec, ignore)
    return run_outcome(folder, before, over=True)


def _segmented(folder: str, spec: RunSpec, names: tuple[str, ...]) -> bool:
    """Tell whether all these images have their masks."""
    done = {
        spec.entries[result.index].name
        for result in read_results(folder, "segment-image")
        if result.outcome.status != "failed"
    }
    return done.issuperset(names)
