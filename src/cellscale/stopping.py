"""What a run does that is stopped from outside, by Ctrl-C or by a signal that asks it to end.

The main thread leaves its work by the exception `Stopped`, and whoever holds something lets it go. That may take long
where a library computes. So the command line gives a run some seconds and then cuts it off, which is safe: outputs
appear whole or not at all, and the next run goes on from finished units. What must happen even so, because others
would wait for it, is announced here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = [
    "Stopped",
    "ear",
    "end_last_acts",
    "has_lost",
    "is_worth_waiting",
    "last_act",
    "note_lost",
    "worth_waiting",
]


class Stopped(BaseException):
    """A signal asked the process to end; no `Exception`, so that nobody takes it for the failure of an image.

    Parameters
    ----------
    number
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


ear: int | None = None
"""Descriptor from which the numbers of signals can be read, where the command line sees to them; a pipe's."""

_LOST: list[str] = []

_ACTS: list[Callable[[], object]] = []
_WAITS: list[Callable[[], bool]] = []


def note_lost(what: str) -> None:
    """Note work in a thread that was given up and cannot be stopped: the process is not to wait for it at its end."""
    _LOST.append(what)


def has_lost() -> bool:
    """Tell whether there is such work."""
    return bool(_LOST)


@contextmanager
def last_act(act: Callable[[], object]) -> Iterator[None]:
    """Have something done also where the process is cut off inside the ``with`` block.

    Parameters
    ----------
    act
        Short, and callable from any thread, also while the block goes on.
    """
    _ACTS.append(act)
    try:
        yield
    finally:
        _ACTS.remove(act)


@contextmanager
def worth_waiting(is_busy: Callable[[], bool]) -> Iterator[None]:
    """Have a machine that is taken away give this work more time than other work.

    Parameters
    ----------
    is_busy
        Tells whether the work is under way.
    """
    _WAITS.append(is_busy)
    try:
        yield
    finally:
        _WAITS.remove(is_busy)


def is_worth_waiting() -> bool:
    """Tell whether work is under way that should come to its end."""
    return any(is_busy() for is_busy in list(_WAITS))


def end_last_acts() -> None:
    """Do what was announced, the last first; what fails is left."""
    while _ACTS:
        with suppress(Exception):
            _ACTS.pop()()
