"""Limits of Batch that its client does not check, so that a job is refused here, at once and with a reason."""

import re

from google.cloud import batch_v1

from cellscale.errors import RequestError

__all__ = ["LONGEST_RUN", "MOST_PARALLEL", "MOST_TASKS", "check_job", "check_parallelism"]

MOST_TASKS = 100_000
MOST_PARALLEL = 5_000
MOST_RETRIES = 10
LARGEST_DEFINITION = 2**20
"""Bytes of a job's definition."""
LONGEST_RUN = 14 * 24 * 3600
"""Seconds that a task may run."""

_JOB_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


def check_job(job_id: str, job: batch_v1.Job) -> None:
    """Check a job against the limits of Batch.

    Raises
    ------
    RequestError
        Batch would refuse it, or take it and never run it.
    """
    if not _JOB_ID.fullmatch(job_id):
        raise RequestError(f"{job_id!r} is no name of a Batch job: at most 63 small letters, digits and hyphens")
    if len(job.task_groups) != 1:
        raise RequestError(f"a Batch job has one task group; found {len(job.task_groups)}")
    if len(job.allocation_policy.instances) != 1:
        raise RequestError(f"Batch uses one kind of machine; found {len(job.allocation_policy.instances)}")
    _check_group(job.task_groups[0])
    _check_spec(job.task_groups[0].task_spec)
    size = len(batch_v1.Job.to_json(job, indent=None).encode())
    if size > LARGEST_DEFINITION:
        raise RequestError(f"the definition of the job has {size:,} bytes; Batch takes {LARGEST_DEFINITION:,}")


def check_parallelism(parallelism: int) -> None:
    """Raise `RequestError` if Batch does not run so many tasks at the same time."""
    if not 1 <= parallelism <= MOST_PARALLEL:
        raise RequestError(
            f"--parallelism is {parallelism:,}; Batch runs 1 to {MOST_PARALLEL:,} tasks at the same time"
        )


def _check_group(group: batch_v1.TaskGroup) -> None:
    if not 1 <= group.task_count <= MOST_TASKS:
        raise RequestError(
            f"the job has {group.task_count:,} tasks, one for each image; Batch takes 1 to {MOST_TASKS:,}. Run a "
            "part of the images at a time with --image_filter."
        )
    check_parallelism(group.parallelism)


def _check_spec(spec: batch_v1.TaskSpec) -> None:
    if not 0 <= spec.max_retry_count <= MOST_RETRIES:
        raise RequestError(f"a task is tried {spec.max_retry_count} times again; Batch does it 0 to {MOST_RETRIES}")
    if len(spec.lifecycle_policies) > 1:
        raise RequestError(f"Batch takes one lifecycle policy; found {len(spec.lifecycle_policies)}")
    seconds = spec.max_run_duration.total_seconds()
    if not 0 < seconds <= LONGEST_RUN:
        raise RequestError(f"a task may run {seconds:,.0f} seconds; Batch lets it run up to {LONGEST_RUN:,}")
    for runnable in spec.runnables:
        if not (runnable.container.image_uri or runnable.script.text or runnable.barrier.name):
            raise RequestError("a step of the task has neither a container nor a script")
