"""A run seen through to its end: each job is submitted when the one before is over.

Everything here may be stopped at any point and done again, by another machine or by two at once: a job's name is the
run's, and Batch takes a name only once.
"""

import time
import uuid
from collections.abc import Callable, Iterable

from google.api_core import exceptions
from google.cloud import batch_v1

from cellscale.engines.batch.client import PATIENCE, batch_client, explained
from cellscale.engines.batch.plan.limits import check_job
from cellscale.engines.batch.submission import JobRecord, Submission, find_job, is_active

__all__ = ["cancel_run", "conduct_run", "pauses", "start_job"]

_CANCELLED = {"CANCELLED", "CANCELLATION_IN_PROGRESS", "DELETION_IN_PROGRESS"}
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
            # Cancelling takes minutes, in which the conductor is alive and would submit what nobody cancels any more.
            conductor = find_job(submission.conductor.name)
            if conductor is not None and _state(conductor) in _CANCELLED:
                tell("the run is being cancelled")
                return False
            start_job(record)
            tell(f"submitted {record.name}")
        state = _wait_for(record)
        tell(f"{record.name} is {state}")
        if state in _CANCELLED:
            return False
    return True


def cancel_run(submission: Submission, tell: Callable[[str], None]) -> None:
    """Cancel all jobs of a run that wait or work.

    The conductor goes first, so that it does not submit the next job. It may be about to do so, and Batch takes its
    time to stop it: once it is over the jobs are looked at again.

    Parameters
    ----------
    submission
        The run.
    tell
        Is told what happens, a line each.

    Raises
    ------
    CloudError
        Batch does not answer.
    """
    cancelled = set[str]()
    _cancel(reversed(submission.jobs), cancelled, tell)
    if submission.conductor.name in cancelled:
        if is_active(find_job(submission.conductor.name)):
            tell("waiting until Batch has stopped the run's conductor, which takes some minutes")
            _wait_for(submission.conductor)
        _cancel(reversed(submission.steps), cancelled, tell)
    if not cancelled:
        tell("nothing is at work; there is nothing to cancel")


def _cancel(records: Iterable[JobRecord], cancelled: set[str], tell: Callable[[str], None]) -> None:
    """Cancel those of some jobs that wait or work and are not cancelled yet, and note their names."""
    for record in records:
        if record.name not in cancelled and is_active(find_job(record.name)):
            with explained(f"cancel the job {record.name}"):
                batch_client().cancel_job(name=record.name, retry=PATIENCE)
            cancelled.add(record.name)
            tell(f"cancelled {record.name}")


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
    return _state(job)


def _state(job: batch_v1.Job | None) -> str:
    return "CANCELLED" if job is None else job.status.state.name
