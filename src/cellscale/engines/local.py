"""The engine of one machine: image after image, each on all cores, and small ones side by side."""

from contextlib import ExitStack, suppress
from dataclasses import replace
from threading import Event, Thread

from cellscale.cells.text import Dialect
from cellscale.compiled import warm_up
from cellscale.deadlock import watch_without_python
from cellscale.engines.at_work import refuse_busy
from cellscale.engines.before_work import SeenImages, require_writable, seen_images
from cellscale.engines.end_of_run import close_run, new_run_id
from cellscale.engines.flow import Loading, Rest, ToldInOrder, needs_of, work_through
from cellscale.engines.preflight import choose_model, find_images, require_extras
from cellscale.engines.run_settings import keep_settings
from cellscale.faults import failure_text
from cellscale.loading import loading
from cellscale.ordered import Turns
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.entering import Entering
from cellscale.pipeline.events import ImageFinished, ImageStarted, Listener, Notice
from cellscale.pipeline.image import process_image
from cellscale.pipeline.measuring import prepare_writing
from cellscale.pipeline.model import Model
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import work_mark
from cellscale.pipeline.run_context import ALONE, Placement
from cellscale.records.shared_clock import SharedClock
from cellscale.workspace.locking import dataset_lock

__all__ = ["run"]


def run(request: Request, listener: Listener) -> RunOutcome:
    """Work on the images of a dataset on this machine; see `cellscale.engines.engine.Engine`."""
    require_extras(request.measuring)
    if not request.dry_run:
        refuse_busy(request.paths.jobs)
    entries = find_images(request)
    require_writable(request, listener)
    budget = Budget.choose(request.resources.workers, request.resources.max_memory)
    model = choose_model(request)
    if not request.dry_run:
        # No daemon: Python may crash where it ends while libraries load. Without it, the first image waits.
        with suppress(RuntimeError):
            Thread(target=_get_ready, args=(request,), name="cellscale-warm-up").start()
    placement, run_id = ALONE, new_run_id()
    with ExitStack() as stack:
        if not request.dry_run:
            tables = request.measure or request.outputs.report
            claim = stack.enter_context(dataset_lock(request.paths, tables=tables, run=run_id))
            entering = Entering(request.paths.project, Dialect(request.measuring.qupath_version))
            placement = Placement(claim=claim, entering=entering, work=work_mark(request))
            refuse_busy(request.paths.jobs)  # once more: inside the lock nobody begins
        keep_settings(request, run_id)
        seen = seen_images(request, entries, budget, listener, model)
        outcomes: list[ImageOutcome] = []
        try:
            _work(request, seen, model, budget, listener, placement, outcomes)
        finally:
            outcomes = _all_entered(placement, outcomes, listener)
        places = {entry.name: place for place, entry in enumerate(entries)}
        ordered = sorted(outcomes, key=lambda outcome: places[outcome.image])
        return close_run(request, RunOutcome(tuple(ordered)), listener, engine="local", run_id=run_id)


def _work(
    request: Request,
    seen: SeenImages,
    model: Model | None,
    budget: Budget,
    listener: Listener,
    placement: Placement,
    outcomes: list[ImageOutcome],
) -> None:
    """Work on the images, and put the outcome of each to the others as soon as there is one."""
    names = [entry.name for entry in seen.entries]
    entries = {entry.name: (position, entry) for position, entry in enumerate(seen.entries, 1)}
    needs = needs_of(request, seen.infos, model, budget)
    is_ready = Event()
    if model is None:
        is_ready.set()
    elif needs:
        loading = Loading(model)
        model, is_ready = replace(model, load=loading), loading.is_over
    told, turns = ToldInOrder(listener, names), Turns(names)
    placement = replace(placement, turns=turns, clock=SharedClock())

    def begin(name: str) -> None:
        told(ImageStarted(name, entries[name][0], len(names)))

    def work(name: str, part: Budget, rest: Rest) -> None:
        try:
            outcome = process_image(entries[name][1], request, model, part, told, replace(placement, rest=rest))
            outcomes.append(outcome)
            told(ImageFinished(name, outcome.status))
            turns.end(name)
        except BaseException as error:  # it ends the run: no later image enters the project before this one does
            turns.give_up(error)
            raise

    def give_up(error: BaseException) -> None:
        turns.give_up(error)
        told.give_up(error)

    try:
        work_through(names, needs, begin, work, budget, is_ready=is_ready, give_up=give_up)
    finally:
        told.close()


def _all_entered(placement: Placement, outcomes: list[ImageOutcome], listener: Listener) -> list[ImageOutcome]:
    """Enter into the QuPath project what still waits; images that cannot be have failed."""
    entering = placement.entering
    if entering is None or not entering.images:
        return outcomes
    try:
        if placement.claim is not None:
            placement.claim.require()
        entering.write()
    except Exception as error:  # the other images are finished
        reason = f"measured, and not entered into the QuPath project: {failure_text(error)}"
        left = set(entering.images)
        for image in left:
            listener(Notice(image, "error", reason))
        return [replace(one, status="failed", error=reason) if one.image in left else one for one in outcomes]
    return outcomes


def _get_ready(request: Request) -> None:
    """Do beforehand what the first image would have to wait for; what goes wrong here, it meets and tells as well."""
    with suppress(Exception), loading(stays=False):
        warm_up()
        watch_without_python()
        if request.measure:
            prepare_writing()
        if request.outputs.report:
            import cellscale.engines.run_report
            import cellscale.pipeline.pictures  # noqa: F401
