"""Parts of a budget that images take while they are worked on, and give up while they only wait."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Condition
from typing import TypeAlias

from cellscale.engines.flow.needs import Need, fit
from cellscale.pipeline.budget import Budget

__all__ = ["WAITING", "Rest", "Slots"]

WAITING = 16
"""Images that may have begun beyond those that the workers suffice for, because some only wait. Each of these has a
few threads and open files."""
_TABLES = 16_000_000
"""Bytes besides its decoded pixels that a small image holds while it waits to enter the project: its open files, and
outlines and numbers of its cells, less than 2 KB each."""

Rest: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Gives a context in which an image only waits, and others may have its part of the budget."""


class Slots:
    """Divides a budget among images that are worked on side by side.

    Parameters
    ----------
    budget
        Of the run.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._at_work: dict[str, Need] = {}
        self._waiting: dict[str, Need] = {}
        """What images hold that only wait."""
        self._returning: dict[str, Need] = {}
        """What images need that have waited and would go on."""
        self._is_over = False
        self._changed = Condition()

    def take(self, name: str, need: Need) -> None:
        """Give an image its part as soon as there is room, beside all that have begun."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._may_begin(need))
            self._at_work[name] = need

    def leave(self, name: str) -> None:
        """Note that an image is over."""
        with self._changed:
            del self._at_work[name]
            self._changed.notify_all()

    @contextmanager
    def resting(self, name: str) -> Iterator[None]:
        """Let others have an image's part inside the ``with`` block; it is taken again at the end.

        Images that would go on come before those that have not begun. Each gets its part some time: those at work
        rest or end without it, and where none is at work it need not fit.
        """
        with self._changed:
            need = self._at_work.pop(name)
            self._waiting[name] = Need(0, need.decoded + _TABLES)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                del self._waiting[name]
                self._returning[name] = need
                self._changed.wait_for(lambda: self._is_over or self._may_go_on(need))
                del self._returning[name]
                self._at_work[name] = need

    def give_up(self) -> None:
        """Have none wait for its part any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _may_begin(self, need: Need) -> bool:
        begun = [*self._at_work.values(), *self._returning.values(), *self._waiting.values()]
        if len(begun) >= self._budget.workers + WAITING:
            return False
        return not begun or fit([need, *begun], self._budget)

    def _may_go_on(self, need: Need) -> bool:
        at_work = self._at_work.values()
        return not at_work or fit([need, *at_work, *self._waiting.values()], self._budget)
