"""Decoded pieces of an image, kept for the next reader."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import Future
from typing import Any

from numpy.typing import NDArray

__all__ = ["SegmentCache"]


class SegmentCache:
    """The most recently used decoded segments, up to a number of bytes.

    Blocks that are read side by side share tiles and, in an image of strips, whole rows: a segment is decoded by the
    first thread that claims it, and the others wait for that result.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held = 0
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[Future[NDArray[Any]], int]] = OrderedDict()

    def claim(self, key: Hashable, size: int) -> tuple[Future[NDArray[Any]], bool]:
        """Return the segment to be, and whether the caller must decode it and set the result.

        Parameters
        ----------
        key
            Which segment.
        size
            Its decoded bytes.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
                return entry[0], False
            future: Future[NDArray[Any]] = Future()
            self._entries[key] = future, size
            self._held += size
            while self._held > self._capacity and len(self._entries) > 1:
                self._held -= self._entries.popitem(last=False)[1][1]
            return future, True

    def fail(self, key: Hashable, future: Future[NDArray[Any]], error: BaseException) -> None:
        """Tell those who wait that decoding failed, and let the next reader try again."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0] is future:
                del self._entries[key]
                self._held -= entry[1]
        future.set_exception(error)
