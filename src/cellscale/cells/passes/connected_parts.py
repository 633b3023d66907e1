"""The connected parts of the labels of a mask: pixels of one label that touch, be it at a corner."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.errors import MaskError

__all__ = ["Bands", "count_parts", "numbered_parts"]

Bands: TypeAlias = Callable[[], Iterable[NDArray[np.int32]]]
"""Gives the bands of a mask from top to bottom, each over the whole width; the same ones whenever it is called."""

_MOST = 2**31 - 1
"""Parts that int32 can number."""


def count_parts(labels: NDArray[np.uint32]) -> int:
    """Return the number of connected parts of labels ``(rows, columns)``, background (0) aside."""
    pieces = _Pieces()
    pieces.owners(labels.view(np.int32))
    return pieces.parts


def numbered_parts(bands: Bands, name: str) -> Iterator[NDArray[np.int32]]:
    """Yield the bands of a mask with a number of its own for each connected part of a label.

    Parameters
    ----------
    bands
        The mask; it is gone through twice.
    name
        The mask, for messages.

    Raises
    ------
    MaskError
        There are more parts than int32 can number.

    Notes
    -----
    Runs of pixels are joined to those above them, by union and find (Rosenfeld and Pfaltz, J. ACM 1966). The first
    pass tells which belong together, the second writes their numbers, from the top left on, so that memory grows with
    the parts and not with the pixels.
    """
    pieces = _Pieces()
    for band in bands():
        if pieces.count + band.size > _MOST and pieces.count + int(np.count_nonzero(band)) > _MOST:
            raise MaskError(f"{name}: more than {_MOST:,} connected parts found: it is not a label mask")
        pieces.owners(band)
    numbers, again = pieces.numbers(), _Pieces(pieces.parents)
    for band in bands():
        yield numbers[again.owners(band)]


class _Pieces:
    """Pieces of a mask that touch nothing above them when they are found, and which of them belong together.

    Parameters
    ----------
    parents
        What an earlier pass over the same mask found; None for the first one.
    """

    def __init__(self, parents: NDArray[np.int32] | None = None) -> None:
        self.parents = np.empty(1024, np.int32) if parents is None else parents
        self.count = 0
        self._known = parents is not None
        self._above: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None

    @property
    def parts(self) -> int:
        """Connected parts so far."""
        return int(np.count_nonzero(self.parents[: self.count] == np.arange(self.count)))

    def owners(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the piece of each pixel of the next rows, -1 for background."""
        width = labels.shape[1]
        above = self._above or (np.zeros(width, np.int32), np.full(width, -1, np.int32))
        owners = np.empty(labels.shape, np.int32)
        self.parents, self.count = _join(labels, *above, owners, self.parents, self.count, self._known)
        if len(labels):
            self._above = labels[-1].copy(), owners[-1].copy()
        return owners

    def numbers(self) -> NDArray[np.int32]:
        """Return the number of each piece's part, from 1; the last of all, which -1 finds, is 0."""
        return _numbers(self.parents[: self.count])


@kernel
def _join(
    labels: NDArray[np.int32],
    label_above: NDArray[np.int32],
    owner_above: NDArray[np.int32],
    owners: NDArray[np.int32],
    parents: NDArray[np.int32],
    count: int,
    known: bool,
) -> tuple[NDArray[np.int32], int]:
    """Give each run of a label the piece of what it touches above, or a new one; pieces that it joins become one."""
    height, width = labels.shape
    for y in range(height):
        labelled = labels[y - 1] if y > 0 else label_above
        owned = owners[y - 1] if y > 0 else owner_above
        start = 0
        for x in range(1, width + 1):
            label = labels[y, start]
            if x < width and labels[y, x] == label:
                continue
            owner = -1
            if label != 0:
                last = -1
                for place in range(max(start - 1, 0), min(x + 1, width)):
                    if labelled[place] != label or owned[place] == last:
                        continue
                    last = owned[place]
                    root = last
                    while parents[root] != root:
                        parents[root] = parents[parents[root]]
                        root = parents[root]
                    if owner < 0:
                        owner = root
                    elif root != owner:
                        parents[max(root, owner)] = min(root, owner)
                        owner = min(root, owner)
                if owner < 0:
                    if count == len(parents):
                        parents = np.concatenate((parents, np.empty_like(parents)))
                    owner, count = count, count + 1
                    if not known:
                        parents[owner] = owner
            for place in range(start, x):
                owners[y, place] = owner
            start = x
    return parents, count


@kernel
def _numbers(parents: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the number of the part of each piece, and 0 behind the last; a piece's parent comes before it."""
    numbers = np.zeros(len(parents) + 1, np.int32)
    count = 0
    for piece, parent in enumerate(parents):
        if parent == piece:
            count += 1
            numbers[piece] = count
        else:
            numbers[piece] = numbers[parent]
    return numbers
