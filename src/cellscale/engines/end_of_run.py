"""What follows the last image of a run, whichever engine ran it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import TypeAlias

from cellscale.engines.run_settings import drop_settings
from cellscale.errors import CellscaleError
from cellscale.faults import failure_text
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.pipeline.request import Request
from cellscale.pipeline.untold import clear_told
from cellscale.storage.uri import join
from cellscale.workspace.layout import BENCHMARKS

__all__ = ["Closing", "close_run", "new_run_id"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A run at its end."""

    request: Request
    outcome: RunOutcome
    engine: str
    run_id: str
    """Names the run among all others; the same when the end of a run is repeated."""
    parts: tuple[ImageOutcome, ...]
    """What each machine did for an image, where several worked on one; else the outcome's images."""
    benchmark_table: str | None
    """BigQuery table that benchmark records are appended to; None for none."""
    listener: Listener
    """Is told of progress."""


Step: TypeAlias = Callable[[Closing], tuple[str, ...]]
"""Does one thing at the end of a run, and returns the outputs of the run as a whole that it made."""


def new_run_id() -> str:
    """Return a name for a run that begins now; names sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{token_hex(3)}"


def close_run(
    request: Request,
    outcome: RunOutcome,
    listener: Listener,
    *,
    engine: str,
    run_id: str | None = None,
    parts: Sequence[ImageOutcome] | None = None,
    benchmark_table: str | None = None,
) -> RunOutcome:
    """Record what a run cost, once all its images are done, kept or failed.

    Whatever goes wrong here is a warning: the images are finished.

    Parameters
    ----------
    request
        What was asked.
    outcome
        What became of the images.
    listener
        Is told of warnings.
    engine
        Name of the engine that did the work.
    run_id
        Name of the run; a new one if None. Closing the same run again, after a retry, adds nothing twice.
    parts
        What each machine did for an image, where several worked on one (one segmented, another measured), in order.
    benchmark_table
        BigQuery table ``project.dataset.table`` to append the benchmark records to.

    Returns
    -------
    The outcome, with the run's own outputs.
    """
    if request.dry_run:
        return outcome
    closing = Closing(
        request=request,
        outcome=outcome,
        engine=engine,
        run_id=run_id or new_run_id(),
        parts=outcome.images if parts is None else tuple(parts),
        benchmark_table=benchmark_table or None,
        listener=listener,
    )
    steps = [_tried(name, step, closing, listener) for name, step in _STEPS]
    if None not in steps:
        _tried("what was told", _clear, closing, listener)
    if all(image.status == "kept" and not image.stages for image in outcome.images):
        _tried("settings", _drop_settings, closing, listener)
    return replace(outcome, outputs=(*outcome.outputs, *(made for outputs in steps for made in outputs or ())))


def _drop_settings(closing: Closing) -> tuple[str, ...]:
    drop_settings(closing.request, closing.run_id)
    return ()


def _clear(closing: Closing) -> tuple[str, ...]:
    clear_told(closing.request.paths.jobs, [image.image for image in closing.outcome.images])
    return ()


def _tried(name: str, step: Step, closing: Closing, listener: Listener) -> tuple[str, ...] | None:
    """Return what a step made; None where it failed."""
    try:
        return step(closing)
    except Exception as error:  # the images are finished; nothing that follows may make the run a failed one
        if not isinstance(error, CellscaleError):
            _LOG.debug("unexpected error in step %s", name, exc_info=True)
        listener(Notice("", "warning", f"{name}: {failure_text(error)}"))
    return None


def _record(closing: Closing) -> tuple[str, ...]:
    """Write the benchmark records to the dataset, and append them to the table where there is one."""
    from cellscale.engines.benchmark_rows import benchmark_rows
    from cellscale.records.benchmark_table import add_records

    # A machine that was lost left no part; that its image failed is known all the same.
    seen = {part.image for part in closing.parts if part.stages or part.status == "failed"}
    lost = [image for image in closing.outcome.failed if image.image not in seen]
    failed = {image.image for image in closing.outcome.failed}
    rows = benchmark_rows(closing.request, [*closing.parts, *lost], closing.run_id, failed, engine=closing.engine)
    folder = join(closing.request.paths.jobs, BENCHMARKS)
    # Some may be of a run that finished an image and did not come to tell of it.
    runs = dict.fromkeys(row["run_id"] for row in rows)
    files = [file for run in runs for file in add_records(folder, run, [row for row in rows if row["run_id"] == run])]
    if closing.benchmark_table:
        from cellscale.records.upload import append_files

        append_files(closing.benchmark_table, files)
    return ()


def _report(closing: Closing) -> tuple[str, ...]:
    """Bring the dataset's report up to date."""
    if not closing.request.outputs.report:
        return ()
    from cellscale.engines.run_report import write_report

    return write_report(closing.request, closing.outcome, closing.listener)


def _spatialdata(closing: Closing) -> tuple[str, ...]:
    """Write a SpatialData folder for each image, where they were asked for."""
    if closing.request.measure and closing.request.outputs.spatialdata:
        from cellscale.engines.spatial_exports import export_spatialdata

        export_spatialdata(closing.request, closing.outcome, closing.listener)
    return ()


_STEPS: tuple[tuple[str, Step], ...] = (
    ("benchmark records", _record),
    ("SpatialData", _spatialdata),
    ("report", _report),
)
"""What is done, in this order, under the names that warnings show."""
