"""h-maxima of a whole block in a time that no map can spoil.

Floods are fast on real maps; a map made of wide, nearly flat steps makes each of them wide. Here every pixel is
decided in order of descending value: the pixels within h below it, a set that only grows from one pixel to the
next, are kept as a union-find forest whose trees know the highest seed in them and whether they reach beyond an
open side.

References
----------
Tarjan, Efficiency of a good but not linear set union algorithm, Journal of the ACM 22, 1975.
"""

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.kernels.arrays import Offsets, PixelValues, Verdicts
from cellscale.label.kernels.maxima import MAYBE, NO, YES

__all__ = ["decide_all"]


def decide_all(values: PixelValues, shifted: PixelValues, height: np.float32, offsets: Offsets) -> Verdicts:
    """Return what :func:`cellscale.label.kernels.maxima.decide` says of each pixel; arguments as there."""
    finite = np.flatnonzero(np.isfinite(values))
    descending = finite[np.argsort(-values[finite], kind="stable")]
    return _decide_descending(descending, values, shifted, height, offsets)


@kernel
def _root(parent: NDArray[np.int64], pixel: int) -> int:
    """Return the root of the tree that a pixel is in."""
    while parent[pixel] != pixel:
        # Each pixel on the way is hung one step higher, so that the next way is half as long.
        parent[pixel] = parent[parent[pixel]]
        pixel = parent[pixel]
    return pixel


@kernel
def _decide_descending(
    descending: NDArray[np.int64], values: PixelValues, shifted: PixelValues, height: np.float32, offsets: Offsets
) -> Verdicts:
    """Decide all pixels of finite value, given in descending order."""
    verdict = np.zeros(values.size, np.uint8)
    parent = np.full(values.size, -1, np.int64)
    rank = np.zeros(values.size, np.uint8)
    highest_seed = shifted.copy()
    is_open = np.zeros(values.size, np.bool_)
    added = 0
    for pixel in descending:
        level = values[pixel]
        # Pixels enter the forest h ahead of the one that is decided: its tree is then what its flood would visit.
        while added < descending.size and level - values[descending[added]] < height:
            root = descending[added]
            parent[root] = root
            for offset in offsets:
                other = descending[added] + offset
                # What lies beyond an open side has no value to compare; the whole tree is uncertain for it.
                if values[other] == np.inf:
                    is_open[root] = True
                elif parent[other] >= 0:
                    tree = _root(parent, other)
                    if tree != root:
                        # The lower tree hangs below the higher one: no path to a root gets long.
                        if rank[tree] > rank[root]:
                            tree, root = root, tree
                        rank[root] += rank[root] == rank[tree]
                        parent[tree] = root
                        highest_seed[root] = max(highest_seed[root], highest_seed[tree])
                        is_open[root] = is_open[root] or is_open[tree]
            added += 1
        # One seed that is high enough rules the pixel out, wherever in the tree it is: the highest stands for all.
        root = _root(parent, pixel)
        if level - highest_seed[root] < height:
            verdict[pixel] = NO
        elif is_open[root]:
            verdict[pixel] = MAYBE
        else:
            verdict[pixel] = YES
    return verdict
