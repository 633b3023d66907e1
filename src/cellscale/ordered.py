"""Work done in threads a few items ahead, its results in the items' order and bounded in number."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import thread_time
from typing import TypeVar

__all__ = ["in_order", "timed"]

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``function(item)`` in the items' order, computed in threads a few items ahead.

    At most ``2 * workers`` results exist at a time, so that a slow consumer bounds the memory.
    """
    if workers == 1:
        yield from map(function, items)
        return
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="cellscale") as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) >= 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def timed(function: Callable[[T], R]) -> Callable[[T], tuple[R, float]]:
    """Return a function that also tells the processor time it took in its thread."""

    def run(item: T) -> tuple[R, float]:
        start = thread_time()
        result = function(item)
        return result, thread_time() - start

    return run
