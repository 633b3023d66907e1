"""Runs handed to Batch."""

import tempfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cellscale.engines.batch.client import CloudError, current_project
from cellscale.engines.batch.follow.job_chain import cancel_run, start_job
from cellscale.engines.batch.plan.job import console_link, definition, job_id
from cellscale.engines.batch.plan.run_network import upload_weights
from cellscale.engines.batch.plan.run_plan import ENVIRONMENT_NAME, RunPlan, make_plan
from cellscale.engines.batch.submission import (
    JobRecord,
    Submission,
    active_run,
    write_submission,
)
from cellscale.engines.engine_request import BatchOptions
from cellscale.engines.run_settings import keep_settings
from cellscale.engines.tasks.spec import write_spec
from cellscale.errors import RunInProgressError
from cellscale.pipeline.request import Request
from cellscale.storage.atomic import write_bytes
from cellscale.storage.locks import run_lock
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import join

__all__ = ["describe_plan", "described", "submit"]


def submit(
    request: Request,
    options: BatchOptions,
    *,
    only: Collection[str] | None = None,
    retry_of: str | None = None,
) -> tuple[str, Submission, bool]:
    """Hand a run to Batch, unless the very same is there already.

    Parameters
    ----------
    request
        What to do.
    options
        On which machines.
    only
        Take only images of these names.
    retry_of
        Run whose failed images these are.

    Returns
    -------
    URI of the run's folder; the submission; whether it is a new one, rather than one that was submitted before and
    is still at work.

    Raises
    ------
    RequestError
        The request is not fit for Batch.
    RunInProgressError
        Another run is at work on the dataset.
    CloudError
        Batch refuses the jobs.
    """
    plan = make_plan(request, options, only)
    jobs = request.paths.jobs
    with run_lock(join(jobs, "lock")):
        active = active_run(jobs)
        if active is not None:
            folder, submission = active
            if submission.fingerprint != plan.fingerprint:
                raise RunInProgressError(
                    f"another run is at work on this dataset on Batch: {folder}. Wait for it with cellscale jobs "
                    "wait, or stop it with cellscale jobs cancel."
                )
            return folder, submission, False
        submission = replace(_submission(plan), retry_of=retry_of)
        _write(plan, submission)
        _start(submission)  # before anybody else can ask whether this run is at work
    return plan.folder, submission, True


def described(folder: str, submission: Submission) -> tuple[str, ...]:
    """Return what a person should know of a submission, a line each."""
    first = submission.jobs[0]
    return (
        f"run: {folder}",
        *(f"job: {record.name} ({record.step})" for record in submission.jobs),
        f"console: {console_link(first.name)}",
        f"images: {submission.images}",
        f"estimated cost: {submission.estimate}",
        f"follow it: cellscale jobs wait {folder}",
    )


def describe_plan(plan: RunPlan) -> tuple[str, ...]:
    """Return what would be submitted, line by line; definitions go to files of a new temporary folder."""
    lines = [
        f"images: {plan.sizes.images}, {plan.sizes.pixels / 1e6:,.1f} Mpx in all, the largest "
        f"{plan.sizes.largest / 1e6:,.1f} Mpx, {plan.sizes.file_bytes / 1e9:,.2f} GB of files"
    ]
    for work in plan.works:
        kind = "measuring" if work.measuring else "segmenting"
        lines.append(
            f"{kind}: {work.compute}, {min(work.parallelism, plan.sizes.images)} at a time, memory "
            f"{work.need.memory_mib} MiB, disk {work.need.disk_gb} GB"
        )
    lines.append(f"estimated cost: {plan.cost}")
    with explained("write", tempfile.gettempdir()):
        folder = Path(tempfile.mkdtemp(prefix="cellscale-jobs-"))
        for step, job in plan.jobs:
            (folder / f"{step}.json").write_text(definition(job, indent=2) + "\n", encoding="utf-8")
    lines += [f"job {job_id(plan.spec.run, step)}: {folder / step}.json" for step, _ in plan.jobs]
    return tuple(lines)


def _submission(plan: RunPlan) -> Submission:
    parent = f"projects/{current_project()}/locations/{plan.environment.region}"
    run = plan.spec.run
    return Submission(
        run=run,
        fingerprint=plan.fingerprint,
        submitted=datetime.now(UTC).isoformat(timespec="seconds"),
        images=len(plan.spec.entries),
        estimate=str(plan.cost),
        java=plan.java,
        jobs=tuple(
            JobRecord(
                step=step,
                name=f"{parent}/jobs/{job_id(run, step)}",
                definition=definition(job),
            )
            for step, job in plan.jobs
        ),
    )


def _write(plan: RunPlan, submission: Submission) -> None:
    """Put everything into the run's folder that its tasks and its followers read."""
    upload_weights(plan.weights)
    write_spec(plan.spec)
    keep_settings(plan.spec.request, plan.spec.run)
    write_bytes(join(plan.folder, ENVIRONMENT_NAME), plan.environment.model_dump_json(indent=2).encode())
    write_submission(plan.folder, submission)


def _start(submission: Submission) -> None:
    """Submit the first job and the conductor; both or none."""
    start_job(submission.jobs[0])
    try:
        start_job(submission.conductor)
    except BaseException:
        with suppress(CloudError):  # the reason why the conductor was refused is the one to tell
            cancel_run(submission, lambda text: None)
        raise
