"""``cellscale jobs``: runs on Google Cloud Batch, by the URI of their folder."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import click

from cellscale.cli.options.shared_options import WordGroup
from cellscale.errors import RequestError

if TYPE_CHECKING:
    from cellscale.engines.batch.submission import Submission
    from cellscale.pipeline.outcome import RunOutcome

__all__ = ["jobs"]

_SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")

_run_argument = click.argument("run", metavar="RUN")


@click.group("jobs", cls=WordGroup)
def jobs() -> None:
    """Follow and manage runs on Google Cloud Batch.

    RUN is the URI of a run's folder, as in gs://bucket/dataset/jobs/20260131T120000Z-1a2b3c; submitting prints it.
    """
    from cellscale.engines.batch.batch_engine import require_batch

    require_batch()


@jobs.command("list")
@click.argument("dataset")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many runs to list.")
def list_runs(dataset: str, limit: int) -> None:
    """List the runs of DATASET (or of its jobs folder), the newest first."""
    from itertools import islice

    from cellscale.engines.batch.follow import job_states
    from cellscale.engines.batch.submission import submissions
    from cellscale.storage.uri import base_name, join

    folder = dataset if base_name(dataset) == "jobs" else join(dataset, "jobs")
    click.echo("run\tsubmitted\timages\tstate")
    for run, submission in islice(submissions(folder), limit):
        state = job_states(submission)[-1].state
        click.echo(f"{run}\t{submission.submitted}\t{submission.images}\t{state}")


@jobs.command("status")
@_run_argument
def status(run: str) -> None:
    """Show what Batch says about RUN's jobs, and what became of each image, judged by its outputs."""
    from cellscale.engines.batch.follow import job_states, run_outcome
    from cellscale.engines.batch.submission import is_at_work

    submission = _read(run)
    for state in job_states(submission):
        counts = ", ".join(f"{count} {name.lower()}" for name, count in sorted(state.counts.items()))
        click.echo(f"{state.record.step}\t{state.state}\t{counts}\t{state.record.name}")
        if state.events:
            click.echo(f"\t{state.events[-1]}")
    _show(run, run_outcome(run, submission, over=not is_at_work(submission)))


@jobs.command("wait")
@_run_argument
@click.option("-v", "--verbose", "verbosity", count=True, help="Say more.")
@click.pass_context
def wait(ctx: click.Context, run: str, verbosity: int) -> None:
    """Follow RUN until it is over. The exit code is 1 if an image or the end of the run failed."""
    ctx.exit(_follow(run, _read(run), verbosity))


@jobs.command("cancel")
@_run_argument
def cancel(run: str) -> None:
    """Stop all jobs of RUN. Finished images and tiles are kept; 'retry' goes on with the rest."""
    from cellscale.engines.batch.follow import cancel_run

    cancel_run(_read(run), click.echo)


@jobs.command("logs")
@_run_argument
@click.option("--image", metavar="NAME", help="Only the tasks of one image.")
@click.option(
    "--severity",
    type=click.Choice(_SEVERITIES, case_sensitive=False),
    default="DEFAULT",
    metavar="LEVEL",
    help="Only lines of at least this severity, as in ERROR.",
)
def logs(run: str, image: str | None, severity: str) -> None:
    """Print what the tasks of RUN wrote."""
    from cellscale.engines.batch.follow import read_logs

    index = None if image is None else _index(run, image)
    for line in read_logs(_read(run), index=index, severity=severity):
        click.echo(f"{line.time} {line.severity} {line.job}: {line.text}")


@jobs.command("retry")
@_run_argument
@click.option("--segmentation_compute_config", metavar="MACHINE", help="Another machine that segments.")
@click.option("--measurement_compute_config", metavar="MACHINE", help="Another machine that measures.")
@click.option("--wait", "waits", is_flag=True, help="Follow the new run until it is over.")
@click.pass_context
def retry(ctx: click.Context, /, run: str, waits: bool, **machines: str | None) -> None:
    """Submit the images of RUN that are not done as a new run; the others are left alone."""
    from cellscale.engines.batch.follow import retry_run
    from cellscale.engines.batch.plan import shortened
    from cellscale.engines.batch.submit import described

    folder, submission, gone = retry_run(run.rstrip("/"), **machines)
    if gone:
        click.echo(f"not tried again, because they were removed or renamed: {shortened(gone)}", err=True)
    for line in described(folder, submission):
        click.echo(line)
    if waits:
        ctx.exit(_follow(folder, submission, 0))


@jobs.command("conduct")
@_run_argument
def conduct(run: str) -> None:
    """Submit each job of RUN when the one before is over.

    A small job of the run itself does this. Call it only where that job cannot: it may not submit jobs, say.
    """
    from cellscale.cli.output.stage_reporting import passing_told
    from cellscale.engines.batch.follow import conduct_run

    with passing_told():
        if not conduct_run(_read(run), click.echo):
            raise click.ClickException("the run was cancelled")


def _read(run: str) -> "Submission":
    from cellscale.engines.batch.submission import read_submission

    return read_submission(run.rstrip("/"))


def _follow(run: str, submission: "Submission", verbosity: int) -> int:
    """Wait for a run, show what became of it, and return the exit code."""
    from cellscale.cli.output.progress import SteadyConsole, Told, listening
    from cellscale.engines.batch.follow import follow_run

    told = Told()
    with listening(SteadyConsole(stderr=True), verbose=verbosity, log_file=None, told=told) as listener:
        outcome = follow_run(run.rstrip("/"), submission, listener)
    _show(run, outcome, told.failed)
    return outcome.exit_code


def _show(run: str, outcome: "RunOutcome", told: Collection[str] = ()) -> None:
    from cellscale.cli.output.progress import SteadyConsole
    from cellscale.cli.output.summary import show_summary
    from cellscale.engines.tasks.spec import SPEC_NAME, read_spec
    from cellscale.storage.uri import join

    show_summary(outcome, read_spec(join(run, SPEC_NAME)).request, SteadyConsole(), told)


def _index(run: str, image: str) -> int:
    """Return the position of an image in its run."""
    from cellscale.engines.tasks.spec import SPEC_NAME, read_spec
    from cellscale.storage.uri import join

    names = [entry.name for entry in read_spec(join(run, SPEC_NAME)).entries]
    if image not in names:
        raise RequestError(f"{run} has no image {image!r}; it has {', '.join(names[:20])}")
    return names.index(image)
