"""Working through images in their order: small ones side by side, others one at a time."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from functools import partial
from threading import Event

from cellscale.engines.flow.needs import Need
from cellscale.engines.flow.slots import WAITING, Rest, Slots
from cellscale.pipeline.budget import Budget

__all__ = ["work_through"]


def work_through(
    names: Sequence[str],
    needs: Mapping[str, Need],
    begin: Callable[[str], None],
    work: Callable[[str, Budget, Rest], None],
    budget: Budget,
    *,
    is_ready: Event,
    give_up: Callable[[BaseException], None],
) -> None:
    """Work on images, which begin in their order.

    Parameters
    ----------
    names
        Of the images.
    needs
        What those need that may be worked on side by side. Others are worked on alone, in the calling thread, with
        all of the budget.
    begin
        Called for each image in turn, in the calling thread, before it is worked on.
    work
        Works on an image with a part of the budget, which others have while the image rests. What it raises ends the
        run: no further image begins, and those that are at work are finished.
    budget
        Of the run.
    is_ready
        No second image begins beside the first one before this is set: what all need is loaded once.
    give_up
        Called when the calling thread is stopped; images that are at work are to end as soon as can be then.

    Raises
    ------
    Exception
        What ``work`` raised for the first image, in their order, for which it did.
    """
    running: dict[Future[None], str] = {}
    failed: dict[str, BaseException] = {}
    slots = Slots(budget)

    def settle(done: Collection[Future[None]]) -> None:
        for future in done:
            name, error = running.pop(future), future.exception()
            if error is not None:
                failed[name] = error

    def work_beside(name: str, need: Need) -> None:
        try:
            work(name, budget.part(need.workers), partial(slots.resting, name))
        finally:
            slots.leave(name)

    with ThreadPoolExecutor(budget.workers + WAITING, thread_name_prefix="cellscale-image") as pool:
        try:
            for name in names:
                need = needs.get(name)
                if need is None:
                    settle(wait(running).done)
                else:
                    slots.take(name, need)
                    settle([future for future in running if future.done()])
                if failed:
                    if need is not None:
                        slots.leave(name)
                    break
                begin(name)
                if need is None:
                    work(name, budget, nullcontext)
                    continue
                future = pool.submit(work_beside, name, need)
                running[future] = name
                future.add_done_callback(lambda _: is_ready.set())
                is_ready.wait()
            settle(wait(running).done)
        except BaseException as error:
            slots.give_up()
            give_up(error)
            raise
    if failed:
        raise failed[min(failed, key=names.index)]
