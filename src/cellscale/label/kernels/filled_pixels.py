"""The few pixels that hole filling changes, found by place."""

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region

__all__ = ["Overlay"]

_CELL = 64


class Overlay:
    """Changed pixels, kept in square cells so that those of a region are found without looking at the others."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], dict[tuple[int, int], int]] = {}

    def set(self, row: int, column: int, identity: int) -> None:
        """Change one pixel; the last change holds."""
        self._cells.setdefault((row // _CELL, column // _CELL), {})[row, column] = identity

    def apply(self, identities: NDArray[np.int64], region: Region) -> None:
        """Write the changed pixels of ``region`` into ``identities``, an array of its shape."""
        for down in range(region.top // _CELL, (region.bottom - 1) // _CELL + 1):
            for across in range(region.left // _CELL, (region.right - 1) // _CELL + 1):
                for (row, column), identity in self._cells.get((down, across), {}).items():
                    if region.top <= row < region.bottom and region.left <= column < region.right:
                        identities[row - region.top, column - region.left] = identity

    def pixels(self, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return all changed pixels as ascending indices ``row * width + column``, and their identities."""
        changes = sorted(
            (row * width + column, identity)
            for cell in self._cells.values()
            for (row, column), identity in cell.items()
        )
        table = np.array(changes, np.int64).reshape(-1, 2)
        return table[:, 0].copy(), table[:, 1].copy()
