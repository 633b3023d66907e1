"""A run seen through to its end: each job is submitted when the one before is over.

Everything here may be stopped at any point and done again, by another machine or by two at once: a job's name is the
run's, and Batch takes a name only once.
"""

import time
import uuid
from collections.abc import Callable

from google.api_core import exceptions
from google.cloud import batch_v1

from cellscale.engines.batch.client import PATIENCE, batch_client, explained
from cellscale.engines.batch.limits import check_job
from cellscale.engines.batch.submission import JobRecord, Submission, find_job, is_active

__all__ = ["cancel_run", "conduct_run", "pauses", "start_job"]

_CANCELLED = {"CANCELLED", "DELETION_IN_PROGRESS"}
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0


def start_job(record: JobRecord) -> None:
    """Submit a job, unless it was already.

    Raises
    ------
    RequestError
        It is beyond the limits of Batch.
    CloudError
        Batch refuses it.
    """
    job = batch_v1.Job.from_json(record.definition)
    parent, _, job_id = record.name.partition("/jobs/")
    check_job(job_id, job)
    request = batch_v1.CreateJobRequest(
        parent=parent, job=job, job_id=job_id, request_id=str(uuid.uuid5(uuid.NAMESPACE_URL, record.name))
    )
    with explained(f"submit the job {job_id}"):
        try:
            batch_client().create_job(request, retry=PATIENCE)
        except exceptions.AlreadyExists:
            return


def conduct_run(submission: Submission, tell: Callable[[str], None]) -> bool:
    """Submit the jobs of a run one after another, each when the one before is over.

    That some images failed does not stop the run: the others go on.

    Parameters
    ----------
    submission
        The run.
    tell
        Is told what happens, a line each.

    Returns
    -------
    False where the run was cancelled.

    Raises
    ------
    CloudError
        Batch refuses a job, or does not answer.
    """
    for record in submission.steps:
        job = find_job(record.name)
        if job is None:
            start_job(record)
            tell(f"submitted {record.name}")
        state = _wait_for(record)
        tell(f"{record.name} is {state}")
        if state in _CANCELLED:
            return False
    return True


def cancel_run(submission: Submission) -> tuple[str, ...]:
    """Cancel all jobs of a run that wait or work, and return their names.

    The conductor goes first, so that it does not submit the next job.
    """
    cancelled = []
    for record in reversed(submission.jobs):
        if is_active(find_job(record.name)):
            with explained(f"cancel the job {record.name}"):
                batch_client().cancel_job(name=record.name, retry=PATIENCE)
            cancelled.append(record.name)
    return tuple(cancelled)


def pauses() -> Callable[[], None]:
    """Return a function that waits a tenth of the time that has passed, half a second to 20 seconds."""
    began = time.monotonic()

    def pause() -> None:
        passed = time.monotonic() - began
        time.sleep(min(max(passed / 10, _SHORTEST_PAUSE), _LONGEST_PAUSE))

    return pause


def _wait_for(record: JobRecord) -> str:
    """Wait until a job is over and return its state; one that was deleted counts as cancelled."""
    pause = pauses()
    while is_active(job := find_job(record.name)):
        pause()
    return "CANCELLED" if job is None else job.status.state.name
