"""Label numbers of the cells of an image: 1 to n, without gaps, in raster order of patches."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region
from cellscale.simulate.cell_placement import PATCH, REACH, Settlement

__all__ = ["Numbering"]


class Numbering:
    """Numbers the cells that have a pixel in an image.

    All cells of a patch inside the image do. Of the patches across and beyond its edges, drawing tells. Only counts
    are kept, and for the edge patches which cells count.

    Parameters
    ----------
    settlement
        The cells.
    shape
        Rows and columns of the image.
    owners_of
        Tells the owner of each pixel of a region as an index into ``settlement.near`` of it, -1 for none.
    """

    def __init__(
        self, settlement: Settlement, shape: tuple[int, int], owners_of: Callable[[Region], NDArray[np.int32]]
    ) -> None:
        self._settlement = settlement
        self._image = Region(0, 0, *shape)
        self._owners_of = owners_of
        self._seen: dict[tuple[int, int], NDArray[np.bool_]] = {}
        self.rows = -(-shape[0] // PATCH) + 1
        """Patch rows run from -1 to one less than this."""
        self.columns = -(-shape[1] // PATCH) + 1
        counts = [self._count(row, column) for row in range(-1, self.rows) for column in range(-1, self.columns)]
        self._before = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    @property
    def total(self) -> int:
        """Number of cells in the image."""
        return int(self._before[-1])

    def first(self, row: int, column: int) -> int:
        """Return the number of the first cell of a patch; of the patch right of a row's last, where the row ends."""
        return int(self._before[(row + 1) * (self.columns + 1) + column + 1]) + 1

    def of_patch(self, row: int, column: int) -> NDArray[np.int32]:
        """Return the numbers of a patch's cells, int32; 0 for a cell without a pixel in the image."""
        first = self.first(row, column)
        if (row, column) not in self._seen:
            return np.arange(first, first + self._settlement.patch(row, column).size, dtype=np.int32)
        seen = self._seen[row, column]
        return np.where(seen, first - 1 + np.cumsum(seen), 0).astype(np.int32)

    def _count(self, row: int, column: int) -> int:
        patch = Region(row * PATCH, column * PATCH, (row + 1) * PATCH, (column + 1) * PATCH)
        cells = self._settlement.patch(row, column)
        if patch == patch.grown(0, self._image.shape):
            return int(cells.size)
        seen = np.zeros(cells.size, np.bool_)
        visible = patch.grown(REACH, self._image.shape)
        if visible.height > 0 and visible.width > 0:
            nearby = self._settlement.near(visible)
            owners = np.unique(self._owners_of(visible))
            seen = np.isin(cells["key"], nearby["key"][owners[owners >= 0]])
        self._seen[row, column] = seen
        return int(np.count_nonzero(seen))
