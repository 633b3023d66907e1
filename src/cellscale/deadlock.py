"""The last resort against a library that waits for ever and holds Python's global lock: nothing in Python runs then.

Such a process hears no signal: Python's handlers, and the threads that see to them, wait for that lock. So one thread
of the process runs machine code alone. It looks whether a signal's number lies unread in the pipe that the system's
part of Python's handlers writes to, and ends the process if nobody has read it within seconds.
"""

import ctypes
import logging
import sys
from typing import Any

import numba
import numpy as np
from numba import types

from cellscale import stopping

__all__ = ["watch_without_python"]

_LOG = logging.getLogger(__name__)
_SECONDS = 3
_WORDS = b"Stopped. What is finished is kept; the same command goes on where it stopped.\n"
_OFFSET = 16
"""Bytes before the words: what ``poll`` takes (descriptor, POLLIN = 1, answer), then the seconds."""

_places: list[Any] = []


def watch_without_python() -> None:
    """Begin to watch, where the command line sees to signals and the system has what is needed."""
    ear = stopping.ear
    if ear is None or _places or sys.platform == "win32" or numba.config.DISABLE_JIT:
        return
    try:
        watch = _compiled()
        head = np.array([ear, 1, _SECONDS, 0], np.int32).view(np.uint8)
        place = np.concatenate([head, np.frombuffer(_WORDS, np.uint8)])
        _places.append(place)  # it stays as long as the thread
        begin = ctypes.CDLL(None).pthread_create
        begin.argtypes = [ctypes.c_void_p] * 4
        begin(ctypes.byref(ctypes.c_ulong()), None, watch.address, place.ctypes.data)
    except Exception:  # the run does not need it
        _LOG.debug("there is no watch against deadlocks", exc_info=True)


def _compiled() -> Any:
    poll = types.ExternalFunction("poll", types.intc(types.voidptr, types.ulong, types.intc))
    sleep = types.ExternalFunction("sleep", types.uintc(types.uintc))
    read = types.ExternalFunction("read", types.intp(types.intc, types.voidptr, types.uintp))
    write = types.ExternalFunction("write", types.intp(types.intc, types.voidptr, types.uintp))
    leave = types.ExternalFunction("_exit", types.void(types.intc))
    length = len(_WORDS)

    # Not kept: numba knows a function by what it encloses, which is new in each process; it would keep one a run.
    @numba.cfunc(types.voidptr(types.voidptr))  # type: ignore[untyped-decorator]
    def watch(place: Any) -> Any:
        facts = numba.carray(place, 4, np.int32)
        words = numba.carray(place, _OFFSET + length, np.uint8)[_OFFSET:]
        while True:
            while poll(place, 1, -1) != 1:  # a signal that comes to this thread interrupts it
                pass
            left = facts[2]
            while left > 0:
                left = sleep(left)
            ear = facts[0]
            if poll(place, 1, 0) == 1 and read(ear, place, 1) == 1:
                write(2, words.ctypes, length)
                leave(128 + (facts[0] & 255))
            facts[0] = ear
        return place

    return watch
