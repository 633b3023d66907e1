"""The engine of one machine: image after image, each on all cores."""

from contextlib import ExitStack, suppress
from threading import Thread

from cellscale.compiled import warm_up
from cellscale.deadlock import watch_without_python
from cellscale.engines.at_work import refuse_busy
from cellscale.engines.end_of_run import close_run, new_run_id
from cellscale.engines.preflight import choose_model, find_images, require_extras
from cellscale.engines.run_settings import keep_settings
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ImageStarted, Listener
from cellscale.pipeline.image import process_image
from cellscale.pipeline.measuring import prepare_writing
from cellscale.pipeline.outcome import RunOutcome
from cellscale.pipeline.request import Request
from cellscale.pipeline.run_context import ALONE, Placement
from cellscale.workspace.locking import dataset_lock

__all__ = ["run"]


def run(request: Request, listener: Listener) -> RunOutcome:
    """Work on the images of a dataset one after another; see `cellscale.engines.engine.Engine`."""
    require_extras(request.measuring)
    if not request.dry_run:
        refuse_busy(request.paths.jobs)
    entries = find_images(request)
    budget = Budget.choose(request.resources.workers, request.resources.max_memory)
    model = choose_model(request)
    if not request.dry_run:
        # No daemon: Python may crash where it ends while libraries load. Without it, the first image waits.
        with suppress(RuntimeError):
            Thread(target=_get_ready, args=(request,), name="cellscale-warm-up").start()
    placement = ALONE
    with ExitStack() as stack:
        if not request.dry_run:
            tables = request.measure or request.outputs.report
            placement = Placement(claim=stack.enter_context(dataset_lock(request.paths, tables=tables)))
            refuse_busy(request.paths.jobs)  # once more: inside the lock nobody begins
        run_id = new_run_id()
        keep_settings(request, run_id)
        outcomes = []
        for position, entry in enumerate(entries, 1):
            listener(ImageStarted(entry.name, position, len(entries)))
            outcomes.append(process_image(entry, request, model, budget, listener, placement))
        return close_run(request, RunOutcome(tuple(outcomes)), listener, engine="local", run_id=run_id)


def _get_ready(request: Request) -> None:
    """Do beforehand what the first image would have to wait for; what goes wrong here, it meets and tells as well."""
    with suppress(Exception):
        warm_up()
        watch_without_python()
        if request.measure:
            prepare_writing()
