"""Working through images in their order: small ones side by side, others one at a time."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event

from cellscale.engines.flow.needs import Need, fit
from cellscale.pipeline.budget import Budget

__all__ = ["work_through"]


def work_through(
    names: Sequence[str],
    needs: Mapping[str, Need],
    begin: Callable[[str], None],
    work: Callable[[str, Budget], None],
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
        Works on an image with a part of the budget. What it raises ends the run: no further image begins, and those
        that are at work are finished.
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

    def settle(done: Collection[Future[None]]) -> None:
        for future in done:
            name, error = running.pop(future), future.exception()
            if error is not None:
                failed[name] = error

    def has_room(need: Need | None) -> bool:
        if not running or need is None:
            return not running
        return fit([need, *(needs[name] for name in running.values())], budget)

    with ThreadPoolExecutor(budget.workers, thread_name_prefix="cellscale-image") as pool:
        try:
            for name in names:
                need = needs.get(name)
                while not has_room(need):
                    settle(wait(running, return_when=FIRST_COMPLETED).done)
                settle([future for future in running if future.done()])
                if failed:
                    break
                begin(name)
                if need is None:
                    work(name, budget)
                    continue
                future = pool.submit(work, name, budget.part(need.workers))
                running[future] = name
                future.add_done_callback(lambda _: is_ready.set())
                is_ready.wait()
            settle(wait(running).done)
        except BaseException as error:
            give_up(error)
            raise
    if failed:
        raise failed[min(failed, key=names.index)]
