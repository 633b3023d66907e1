"""Work done in threads a few items ahead, what comes of it in the items' order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition
from time import thread_time
from typing import TypeVar

__all__ = ["Turns", "in_order", "timed"]

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


class Turns:
    """Lets pieces of work that go on side by side do one thing in their order.

    Parameters
    ----------
    names
        Of the pieces of work, in their order.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        self._places = {name: place for place, name in enumerate(self._names)}
        self._over: set[str] = set()
        self._next = 0
        self._error: BaseException | None = None
        self._changed = Condition()

    def has_come(self, name: str) -> bool:
        """Tell whether all pieces of work before this one have had their turn."""
        with self._changed:
            return self._next >= self._places[name]

    def wait(self, name: str) -> None:
        """Return when all pieces of work before this one have had their turn.

        Raises
        ------
        BaseException
            What `give_up` was given, where one of them will never have it.
        """
        place = self._places[name]
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._next >= place)
            if self._error is not None and self._next < place:
                raise self._error

    def end(self, name: str) -> None:
        """Note that a piece of work needs its turn no longer; it may be noted again."""
        with self._changed:
            self._over.add(name)
            while self._next < len(self._names) and self._names[self._next] in self._over:
                self._next += 1
            self._changed.notify_all()

    def give_up(self, error: BaseException) -> None:
        """Have all raise an error who wait, or will, for a turn that has not come."""
        with self._changed:
            self._error = error
            self._changed.notify_all()
