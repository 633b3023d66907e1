"""Filling small holes, object after object, over boxes that are read as needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Flags
from cellscale.label.kernels.filled_pixels import Overlay
from cellscale.label.large_objects import LargeObjects
from cellscale.label.objects import Objects
from cellscale.regions import Region, RegionReader, blocks

__all__ = ["fill_holes"]

_TILE = 1024
_BATCH_PIXELS = 2**22


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of one object's box, small enough to be read at once."""

    batch: int
    row: int
    """The object's row among those with holes."""

    owned: Region
    """Holes whose first pixel is here are filled with this piece."""

    seen: Region
    """``owned`` with a margin that shows any such hole whole if it is small enough to be filled."""


def fill_holes(census: LargeObjects, read_identities: RegionReader, limit: int) -> tuple[Overlay, NDArray[np.int64]]:
    """Fill the holes of each object that has any, in ascending order of identity.

    Within an object's bounding box, every 4-connected region of fewer than ``limit`` pixels that are not the object's
    becomes the object's, whatever was there before; corners of the box count as well, and objects filled earlier are
    seen as filled. Only objects whose Euler number is below 1 are looked at, as they were before any filling.

    Parameters
    ----------
    census
        The objects.
    read_identities
        Reads the identity of every pixel of a region as int64, 0 for background.
    limit
        Regions of fewer pixels than this are filled.

    Returns
    -------
    The changed pixels, and the sizes of the objects thereafter.
    """
    overlay = Overlay()
    sizes = census.sizes.copy()
    for _, batch in groupby(_pieces(census.holed, limit), key=lambda piece: piece.batch):
        pieces = list(batch)
        for piece, identities in zip(pieces, _read(pieces, read_identities), strict=True):
            overlay.apply(identities, piece.seen)
            identity = census.holed.identities[piece.row]
            filled = _small_regions(identities, identity, limit, piece.owned.within(piece.seen))
            for row, column in filled.tolist():
                _count(sizes, census.identities, identities[row, column], -1)
                overlay.set(piece.seen.top + row, piece.seen.left + column, int(identity))
            _count(sizes, census.identities, identity, len(filled))
    return overlay, sizes


def _pieces(objects: Objects, limit: int) -> Iterator[_Piece]:
    """Yield the boxes to look at in order, large ones in tiles, numbered by batches that fit in memory."""
    pixels = 0
    for row in range(len(objects)) if limit > 0 else ():
        top, left, bottom, right = (int(side) for side in objects.boxes[row])
        for tile in blocks((bottom - top, right - left), (_TILE, _TILE)):
            seen = tile.grown(limit, (bottom - top, right - left))
            yield _Piece(pixels // _BATCH_PIXELS, row, _moved(tile, top, left), _moved(seen, top, left))
            pixels += seen.size


def _moved(region: Region, rows: int, columns: int) -> Region:
    return Region(region.top + rows, region.left + columns, region.bottom + rows, region.right + columns)


def _read(pieces: list[_Piece], read_identities: RegionReader) -> list[NDArray[np.int64]]:
    """Read the pieces in an order that serves a reader's cache, and return them in their own."""
    order = sorted(range(len(pieces)), key=lambda i: (pieces[i].seen.top // _TILE, pieces[i].seen.left // _TILE))
    arrays = {i: np.array(read_identities(pieces[i].seen), np.int64) for i in order}
    return [arrays[i] for i in range(len(pieces))]


def _count(sizes: NDArray[np.int64], identities: NDArray[np.int64], identity: np.int64, pixels: int) -> None:
    """Add pixels to the size of an object, if it is one of those that are counted."""
    row = int(np.searchsorted(identities, identity))
    if row < len(identities) and identities[row] == identity:
        sizes[row] += pixels


def _small_regions(
    identities: NDArray[np.int64], identity: np.int64, limit: int, owned: tuple[slice, slice]
) -> NDArray[np.int64]:
    """Return rows and columns (n, 2) of the regions without ``identity`` whose first pixel is in ``owned``."""
    # A border of closed pixels spares the kernel all tests for the ends of the box.
    is_open = np.pad(identities != identity, 1)
    starts = np.zeros_like(is_open)
    starts[1:-1, 1:-1][owned] = True
    pixels = _filled(is_open.ravel(), (starts & is_open).ravel(), is_open.shape[1], limit)
    return np.stack(np.divmod(pixels, is_open.shape[1]), axis=1) - 1


@kernel
def _filled(is_open: Flags, starts: Flags, row_length: int, limit: int) -> NDArray[np.int64]:
    """Return the pixels of small open regions that begin at one of ``starts``; closes all it has visited."""
    queue = np.empty(is_open.size, np.int64)
    kept = 0
    for start in range(is_open.size):
        if not (starts[start] and is_open[start]):
            continue
        # The pixels kept so far stay at the front of the queue; a region that is too large is written over.
        queue[kept] = start
        is_open[start] = False
        # Closed when queued, not when visited: no pixel is queued twice, and no region found again.
        head, tail = kept, kept + 1
        while head < tail:
            for offset in (-row_length, -1, 1, row_length):
                other = queue[head] + offset
                if is_open[other]:
                    is_open[other] = False
                    queue[tail] = other
                    tail += 1
            head += 1
        if tail - kept < limit:
            kept = tail
    return queue[:kept].copy()
