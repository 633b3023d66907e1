"""Memory for weights and maps, which begins at a line of the caches and lies in large pages where there are some."""

from threading import Lock
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel

__all__ = ["Room", "aligned", "empty", "lasting"]

_LINE: Final = 16
"""Values of a line of the caches, which has 64 bytes."""

_PIECE: Final = 8 << 20
"""Values that are taken from the system at once, 32 MB."""

_Value = TypeVar("_Value", np.float32, np.int32, np.uint32)


@kernel
def _begun_at_line(made: NDArray[np.float32]) -> NDArray[np.float32]:
    skipped = -made.ctypes.data % (4 * _LINE) // 4
    return made[skipped:]


@kernel
def empty(size: int) -> NDArray[np.float32]:
    """Return ``size`` values with anything in them, which begin at a line of the caches; for kernels as well.

    A vector of 16 values is as large as a line. Where each lies across two, both are read: in arrays that begin where
    numpy's or numba's do, a tile takes 1.1 times as long.
    """
    return _begun_at_line(np.empty(size + _LINE, np.float32))[:size]


class _Pages:
    """Gives arrays that lie together in large pieces.

    numpy asks Linux for pages of 2 MB instead of 4 KB where an array has 4 MB or more. A processor knows where some
    hundred pages are: of weights in small ones it would have to look most of them up, which takes a tile 1.1 times as
    long. What is never written to takes no memory.
    """

    def __init__(self) -> None:
        self._piece = np.empty(0, np.float32)
        self._lock = Lock()

    def array(self, size: int) -> NDArray[np.float32]:
        """Return ``size`` values as `empty` does; a piece is given up with the last array in it."""
        taken = -(-size // _LINE) * _LINE
        with self._lock:
            if len(self._piece) < taken:
                self._piece = _begun_at_line(np.empty(max(taken, _PIECE) + _LINE, np.float32))
            found, self._piece = self._piece[:size], self._piece[taken:]
        return found


_WEIGHTS: Final = _Pages()


def lasting(size: int) -> NDArray[np.float32]:
    """Return ``size`` values as `empty` does, for what is kept as long as a network."""
    return _WEIGHTS.array(size)


def aligned(values: NDArray[_Value]) -> NDArray[_Value]:
    """Return a flat copy in memory of `lasting`."""
    copy = lasting(values.size).view(values.dtype)
    copy.reshape(values.shape)[...] = values
    return copy


class Room:
    """Arrays that are used again for each tile: of new ones, the system has to clear every page."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[np.float32]] = {}
        self._pages = _Pages()

    def array(self, name: str, size: int) -> NDArray[np.float32]:
        """Return an array of ``size`` values with anything in it; what was had by this name before is given up."""
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            kept = self._kept[name] = self._pages.array(size)
        return kept[:size]
