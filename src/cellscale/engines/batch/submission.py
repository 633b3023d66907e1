"""What was submitted, kept in the run's folder, so that any machine can follow, conduct or cancel the run."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.api_core import exceptions
from google.cloud import batch_v1

from cellscale.engines.batch.client import PATIENCE, batch_client, explained
from cellscale.engines.batch.plan.job import Step
from cellscale.errors import RequestError, StorageError
from cellscale.pipeline.request import from_json, to_json
from cellscale.storage.atomic import write_bytes
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, base_name, exists, join, listing, read_bytes

__all__ = [
    "JobRecord",
    "Submission",
    "active_run",
    "find_job",
    "is_active",
    "is_at_work",
    "read_submission",
    "submissions",
    "write_submission",
]

_NAME = "batch.json"
_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]+")

_OVER = {"SUCCEEDED", "FAILED", "CANCELLED", "DELETION_IN_PROGRESS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """One of a run's jobs."""

    step: Step
    name: str
    """``projects/P/locations/R/jobs/J``; no job may be there yet, or no longer."""
    definition: str
    """What Batch is asked to run, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A run on Batch."""

    run: str
    fingerprint: str
    """Hash of all that was asked, equal for two submissions of the same."""
    submitted: str
    """Time in UTC, ISO 8601."""
    images: int
    estimate: str
    """What the run was expected to cost."""
    jobs: tuple[JobRecord, ...]
    """In the order in which they run, the conductor last."""
    java: bool = False
    """Whether the original's Java program measures, which leaves tables but no results of tasks."""
    retry_of: str | None = None
    """Run whose failed images this one takes up again."""

    @property
    def conductor(self) -> JobRecord:
        """The job that ends when the run does."""
        return self.jobs[-1]

    @property
    def steps(self) -> tuple[JobRecord, ...]:
        """The jobs that work on images."""
        return self.jobs[:-1]


def write_submission(folder: Location, submission: Submission) -> None:
    """Keep a submission in its run's folder."""
    write_bytes(join(folder, _NAME), json.dumps(to_json(submission), indent=1).encode())


def read_submission(folder: Location) -> Submission:
    """Return the submission of a run.

    Raises
    ------
    RequestError
        The folder is not that of a run on Batch.
    """
    try:
        content = read_bytes(join(folder, _NAME))
    except StorageError as error:
        raise RequestError(
            f"{folder} is no run on Batch ({error}); name a run's folder, for example gs://bucket/dataset/jobs/"
            "20260131T120000Z-1a2b3c. cellscale jobs list DATASET names them."
        ) from error
    try:
        facts = parsed_json(content)
    except ValueError as error:
        raise RequestError(f"{join(folder, _NAME)} is damaged: {error}") from error
    return from_json(Submission, facts, what=str(join(folder, _NAME)))


def submissions(jobs: Location) -> Iterator[tuple[str, Submission]]:
    """Yield the folders and submissions of a dataset's runs on Batch, newest first.

    Parameters
    ----------
    jobs
        The dataset's folder of runs; it may be missing.
    """
    try:
        entries = listing(jobs)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return
        raise
    for entry in sorted(entries, key=lambda entry: entry.name, reverse=True):
        if entry.is_folder and _RUN.fullmatch(base_name(entry.location)) and exists(join(entry.location, _NAME)):
            yield str(entry.location), read_submission(entry.location)


def find_job(name: str) -> batch_v1.Job | None:
    """Return a job as Batch knows it; None where it was not submitted, or was deleted.

    Raises
    ------
    CloudError
        Batch does not say.
    """
    with explained(f"look at the job {name}"):
        try:
            return batch_client().get_job(name=name, retry=PATIENCE)
        except exceptions.NotFound:
            return None


def is_active(job: batch_v1.Job | None) -> bool:
    """Tell whether a job waits or works."""
    return job is not None and job.status.state.name not in _OVER


def is_at_work(submission: Submission) -> bool:
    """Tell whether any job of a run waits or works: the others may, where the conductor is over before its time.

    Raises
    ------
    CloudError
        Batch does not say.
    """
    # The conductor first: when it is over, no job is submitted any more.
    return any(is_active(find_job(record.name)) for record in reversed(submission.jobs))


def active_run(jobs: Location) -> tuple[str, Submission] | None:
    """Return the run at work on a dataset: the newest, as none begins before the one before is over.

    Parameters
    ----------
    jobs
        The dataset's folder of runs; it may be missing.
    """
    newest = next(submissions(jobs), None)
    return newest if newest is not None and is_at_work(newest[1]) else None
