"""Outlines of a whole mask seen from afar, traced while somebody else reads the mask."""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.regions import Region, RegionReader

__all__ = ["TracedMask"]


class TracedMask:
    """A mask that notes, of each region that is read, how much of it is outline.

    Masks are large and slow to decode: one pass serves the census and the overview.

    Parameters
    ----------
    read
        Reads int32 labels, 0 for background.
    shape
        Rows and columns of the mask.
    cell
        Side of the squares that become a pixel of the overview.
    """

    def __init__(self, read: RegionReader, shape: tuple[int, int], cell: int) -> None:
        self.coverage = np.zeros((-(-shape[0] // cell), -(-shape[1] // cell)), np.float32)
        """Share of each square that is outline, where regions were read."""
        self._read = read
        self._shape = shape
        self._cell = cell

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region whose upper left corner is that of a square."""
        grown = region.grown(1, self._shape)
        labels = np.ascontiguousarray(self._read(grown), np.int32)
        inner = region.within(grown)
        rows, columns = inner
        top, left = region.top // self._cell, region.left // self._cell
        height, width = -(-region.height // self._cell), -(-region.width // self._cell)
        part = self.coverage[top : top + height, left : left + width]
        _trace(labels, (rows.start, rows.stop), (columns.start, columns.stop), self._cell, part)
        return labels[inner]


@kernel
def _trace(
    labels: NDArray[np.int32],
    rows: tuple[int, int],
    columns: tuple[int, int],
    cell: int,
    coverage: NDArray[np.float32],
) -> None:
    """Set the share of each square whose pixels touch another label along an edge.

    Parameters
    ----------
    labels
        The pixels, with one more on each side where the image goes on.
    rows, columns
        First and last but one of those to look at.
    cell
        Side of a square.
    coverage
        The shares, ``(squares down, squares across)``.
    """
    height, width = labels.shape
    for top in range(rows[0], rows[1], cell):
        for left in range(columns[0], columns[1], cell):
            bottom, right = min(top + cell, rows[1]), min(left + cell, columns[1])
            found = 0
            for y in range(top, bottom):
                for x in range(left, right):
                    label = labels[y, x]
                    if label != 0 and (
                        (y > 0 and labels[y - 1, x] != label)
                        or (y + 1 < height and labels[y + 1, x] != label)
                        or (x > 0 and labels[y, x - 1] != label)
                        or (x + 1 < width and labels[y, x + 1] != label)
                    ):
                        found += 1
            square = (bottom - top) * (right - left)
            coverage[(top - rows[0]) // cell, (left - columns[0]) // cell] = np.float32(found) / np.float32(square)
