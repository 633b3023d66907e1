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
from cellscale.compiled import callback

__all__ = ["watch_without_python"]

_LOG = logging.getLogger(__name__)
_SECONDS = 3
_WORDS = b"Stopped. What is finished is kept; the same command goes on where it stopped.\n"
_OFFSET = 16
"""Bytes before the words: what ``poll`` takes (descriptor, POLLIN = 1, answer), then the seconds."""

# As globals: numba keeps no code of a function that encloses values, as they may be others in each process.
_LENGTH = len(_WORDS)
_poll = types.ExternalFunction("poll", types.intc(types.voidptr, types.ulong, types.intc))
_sleep = types.ExternalFunction("sleep", types.uintc(types.uintc))
_read = types.ExternalFunction("read", types.intp(types.intc, types.voidptr, types.uintp))
_write = types.ExternalFunction("write", types.intp(types.intc, types.voidptr, types.uintp))
_leave = types.ExternalFunction("_exit", types.void(types.intc))

_places: list[Any] = []


def watch_without_python() -> None:
    """Begin to watch, where the command line sees to signals and the system has what is needed."""
    ear = stopping.ear
    if ear is None or _places or sys.platform == "win32" or numba.config.DISABLE_JIT:
        return
    try:
        address = callback(_watch, types.voidptr, types.voidptr)
        head = np.array([ear, 1, _SECONDS, 0], np.int32).view(np.uint8)
        place = np.concatenate([head, np.frombuffer(_WORDS, np.uint8)])
        _places.append(place)  # it stays as long as the thread
        begin = ctypes.CDLL(None).pthread_create
        begin.argtypes = [ctypes.c_void_p] * 4
        begin(ctypes.byref(ctypes.c_ulong()), None, address, place.ctypes.data)
    except Exception:  # the run does not need it
        _LOG.debug("there is no watch against deadlocks", exc_info=True)


def _watch(place: Any) -> Any:
    """Wait for numbers that nobody reads; machine code, for a thread that Python does not know."""
    facts = numba.carray(place, 4, np.int32)
    words = numba.carray(place, _OFFSET + _LENGTH, np.uint8)[_OFFSET:]
    while True:
        while _poll(place, 1, -1) != 1:  # a signal that comes to this thread interrupts it
            pass
        left = facts[2]
        while left > 0:
            left = _sleep(left)
        ear = facts[0]
        if _poll(place, 1, 0) == 1 and _read(ear, place, 1) == 1:
            _write(2, words.ctypes, _LENGTH)
            _leave(128 + (facts[0] & 255))
        facts[0] = ear
    return place
