"""The engine of many machines, or of many processes of this one: images and shares of images are Dask tasks.

Pixels, maps and labels travel through the dataset's storage, never through Dask.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

from distributed import Client

from cellscale.engines.at_work import refuse_busy
from cellscale.engines.before_work import failing_first, require_writable
from cellscale.engines.dask.cluster import connection, dashboard, refuse_contradictions, require_fit
from cellscale.engines.dask.connection import WorkerPool
from cellscale.engines.dask.dispatch import work_through
from cellscale.engines.dask.image_steps import ImageWork
from cellscale.engines.dask.worker_tasks import Job
from cellscale.engines.end_of_run import close_run, new_run_id
from cellscale.engines.engine_request import DaskOptions
from cellscale.engines.preflight import choose_model, find_images, require_extras
from cellscale.engines.run_settings import keep_settings
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.measuring import list_in_project
from cellscale.pipeline.outcome import RunOutcome
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import work_mark
from cellscale.pipeline.untold import image_mark, keep_untold, untold
from cellscale.workspace.locking import dataset_lock

__all__ = ["run"]


def run(request: Request, listener: Listener, options: DaskOptions | None = None) -> RunOutcome:
    """Work on the images of a dataset with a Dask cluster; see `cellscale.engines.engine.Engine`."""
    options = options or DaskOptions()
    refuse_contradictions(options, request.resources)
    require_extras(request.measuring)
    if not request.dry_run:
        refuse_busy(request.paths.jobs)
    entries = find_images(request)
    require_writable(request, listener)
    model = choose_model(request, computes=False)
    network = replace(request.network, checksum=model.sha256 if model else None)
    job = Job(replace(request, network=network, settings=""), new_run_id())
    with ExitStack() as stack:
        if not request.dry_run:
            tables = request.measure or request.outputs.report
            stack.enter_context(dataset_lock(request.paths, tables=tables, run=job.run))
            refuse_busy(request.paths.jobs)  # once more: inside the lock nobody begins
            keep_settings(request, job.run)
        count, asked = len(entries), work_mark(request)
        budget = Budget.choose(request.resources.workers, request.resources.max_memory)
        images = [
            _image_work(job, asked, ImageWork(entry, position, count, listener))
            for position, entry in enumerate(failing_first(request, entries, budget, listener, model), 1)
        ]
        connect = stack.enter_context(connection(options, request.resources))
        _work(connect, job, options, images, listener)
        places = {entry.name: place for place, entry in enumerate(entries)}
        outcomes = sorted(
            (image.outcome for image in images if image.outcome), key=lambda outcome: places[outcome.image]
        )
        return close_run(request, RunOutcome(tuple(outcomes)), listener, engine="dask", run_id=job.run)


def _image_work(job: Job, asked: str, work: ImageWork) -> ImageWork:
    """Return the work on an image, whose costs are kept in the dataset as it is done."""
    if not job.request.dry_run:
        jobs, mark = job.request.paths.jobs, image_mark(work.entry, asked)
        work.recall = lambda: untold(jobs, work.entry.name, mark)
        work.keep = lambda outcome: keep_untold(jobs, mark, replace(outcome, run=job.run))
    return work


def _work(
    connect: Callable[[], Client], job: Job, options: DaskOptions, images: Sequence[ImageWork], listener: Listener
) -> None:
    """Have the images worked on, and enter what is done into the QuPath project, whatever happens."""

    def tell(text: str) -> None:
        listener(Notice("", "warning", text))

    with closing(WorkerPool(connect, job, tell)) as crew:
        require_fit(crew.client, job)
        page = dashboard(crew.client, options)
        if page is not None:
            listener(Notice("", "info", f"the Dask dashboard is at {page}"))
        try:
            work_through(crew, images)
        finally:
            if not job.request.dry_run:
                list_in_project(
                    job.request.paths, job.request.measuring, [place for image in images for place in image.places]
                )
