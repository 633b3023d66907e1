"""Ctrl-C and SIGTERM: a run ends in order if it can within seconds, and is cut off if it cannot."""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from cellscale import stopping
from cellscale.stopping import Stopped, end_last_acts, is_worth_waiting

if TYPE_CHECKING:
    import socket

__all__ = ["Stops", "stops_told", "until_ctrl_c"]

GRACE_SECONDS = 2.5
"""Time in which a stopped run must have ended in order."""
LEAVE_SECONDS = 20.0
"""The same where a machine is taken away, which has half a minute, while finished work goes to an object store."""
LAST_ACT_SECONDS = 1.0
"""Time for what must not be left undone, such as letting go of a lock that the next run would wait for."""

_NAMES: dict[int, str] = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_SHOW_CURSOR = b"\r\x1b[2K\x1b[?25h"

_tellers: list[Callable[[str], object]] = []
_ends: set[int] = set()
"""Signals that are the usual end of what the process does."""


@contextmanager
def stops_told(tell: Callable[[str], object]) -> Iterator[None]:
    """Have the sentence that a stopped run ends with told by ``tell``, rather than on standard error."""
    is_stopped = False
    _tellers.append(tell)
    try:
        yield
    except Stopped:
        is_stopped = True  # the sentence is still to come
        raise
    finally:
        if not is_stopped:
            _tellers.remove(tell)


@contextmanager
def until_ctrl_c() -> Iterator[None]:
    """Have Ctrl-C end what is done inside the ``with`` block, and the process with it: nothing is left undone."""
    _ends.add(signal.SIGINT)
    yield


class Stops:
    """Sees to the signals of this process from now on; of the main thread, once in a process.

    Python's own handlers run between two steps of the main thread, which may be deep in a library. So the system's
    part of them also wakes a thread, over a pipe, which ends the process when its time is over, or at the next
    signal. The end is always ``os._exit``: Python's own would wait for every thread, and libraries whose threads are
    at work then abort. Where a library holds Python's global lock for ever, that thread does not run either: see
    `cellscale.deadlock`.
    """

    def __init__(self) -> None:
        self._number = 0
        self._is_ending = False
        self._saying = threading.Lock()
        self._is_said = False
        self._ear, bell = _pipe()
        stopping.ear = self._ear if isinstance(self._ear, int) else None
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        for number in _NAMES:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as in a shell's background
                signal.signal(number, self._on_signal)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_forget)
        threading.Thread(target=self._watch, name="cellscale-stops", daemon=True).start()

    def close(self) -> None:
        """Raise nothing from now on: the work is over."""
        self._is_ending = True

    def leave(self) -> None:
        """End the process if it was stopped."""
        self._is_ending = True
        if self._number:
            self._end(self._number)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        if not self._number:
            self._number = number
            if not self._is_ending:
                raise Stopped(number)

    def _watch(self) -> None:
        number = self._heard(None)
        waited = GRACE_SECONDS
        again = self._heard(GRACE_SECONDS)
        while not again and number == signal.SIGTERM and waited < LEAVE_SECONDS and is_worth_waiting():
            again = self._heard(0.5)
            waited += 0.5
        # In a thread of its own, because it may wait for what never comes.
        acts = threading.Thread(target=end_last_acts, daemon=True)
        acts.start()
        acts.join(LAST_ACT_SECONDS)
        self._end(number)

    def _heard(self, seconds: float | None) -> int:
        """Wait for a signal that ends the process and return its number; 0 where none came in time."""
        while select.select([self._ear], [], [], seconds)[0]:
            number = os.read(self._ear, 1)[0] if isinstance(self._ear, int) else self._ear.recv(1)[0]
            if number in _NAMES:
                return number
        return 0

    def _end(self, number: int) -> NoReturn:
        if number in _ends:
            os._exit(0)
        # Also in a thread, because the main one may hold the file that it is written to.
        saying = threading.Thread(target=self._say, args=(number,), daemon=True)
        saying.start()
        saying.join(LAST_ACT_SECONDS)
        os._exit(128 + number)

    def _say(self, number: int) -> None:
        with self._saying:
            if self._is_said:
                return
            self._is_said = True
            sentence = (
                f"Stopped by {_NAMES[number]}. What is finished is kept; the same command goes on where it stopped."
            )
            for tell in _tellers:
                tell(sentence)
            for file in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    file.flush()
            if not _tellers:
                with suppress(OSError):
                    # What draws progress bars may be cut off, and leaves a terminal without a cursor then.
                    os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + sentence.encode() + b"\n")


def _pipe() -> tuple["int | socket.socket", int]:
    """Return what a thread waits for, and the descriptor that the system's part of a handler writes to."""
    if sys.platform == "win32":  # which waits for sockets alone
        import socket

        ear, bell = socket.socketpair()
        bell.setblocking(False)
        return ear, bell.detach()
    read, write = os.pipe()
    os.set_blocking(write, False)
    return read, write


def _forget() -> None:
    """Leave a copy of this process without its handlers: they would ring here."""
    signal.set_wakeup_fd(-1)
    for number in _NAMES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
