"""Datasets on which machines are at work that hold no lock: those that Batch rents."""

from importlib.util import find_spec

from cellscale.errors import CellscaleError, RunInProgressError
from cellscale.storage.uri import Location, exists, join

__all__ = ["refuse_busy"]


def refuse_busy(jobs: Location) -> None:
    """Check that no run on Google Cloud Batch is at work on a dataset.

    A run on Batch counts as at work from the moment it is handed over. That happens inside the dataset's lock, so a
    caller that holds the lock and is not refused here is the only one at work.

    Parameters
    ----------
    jobs
        The dataset's folder of runs.

    Raises
    ------
    RunInProgressError
        There is one, or Batch does not say.
    StorageError
        The folder cannot be read.
    """
    if not str(jobs).startswith(("gs://", "gcs://")) or not _can_ask():
        return
    from cellscale.engines.batch.submission import is_at_work, submissions
    from cellscale.engines.tasks.finish import OUTCOME

    folder, submission = next(submissions(jobs), (None, None))
    if folder is None or submission is None or exists(join(folder, OUTCOME)):  # that is written last
        return
    try:
        at_work = is_at_work(submission)
    except CellscaleError as error:
        raise RunInProgressError(
            f"it cannot be known whether Google Cloud Batch is still at work on this dataset ({folder}): {error} If "
            f"you know that nothing is, remove {folder}."
        ) from error
    if at_work:
        raise RunInProgressError(
            f"Google Cloud Batch is at work on this dataset: {folder}. Wait for it (cellscale jobs wait {folder}) or "
            f"stop it (cellscale jobs cancel {folder}); finished images and tiles are kept."
        )


def _can_ask() -> bool:
    try:
        return find_spec("google.cloud.batch_v1") is not None
    except ModuleNotFoundError:
        return False
