"""h-maxima of a whole block in a time that no map can spoil.

Floods are fast on real maps; a map made of wide, nearly flat steps makes each of them wide. Here every pixel is
decided in order of descending value: the pixels within h below it, a set that only grows from one pixel to the
next, are kept as a union-find forest whose trees know the highest seed in them and whether they reach beyond an
open side.

References
----------
Tarjan, Efficiency of a good but not linear set union algorithm, Journal of the ACM 22, 1975.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.kernels.maxima import MAYBE, NO, YES

__all__ = ["decide_all"]


def decide_all(
    values: NDArray[np.float32], shifted: NDArray[np.float32], height: np.float32, offsets: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Return what :func:`cellscale.label.kernels.maxima.decide` says of each pixel; arguments as there."""
    finite = np.flatnonzero(np.isfinite(values))
    descending = finite[np.argsort(-values[finite], kind="stable")]
    verdict: NDArray[np.uint8] = _decide_descending(descending, values, shifted, height, offsets)
    return verdict


@kernel
def _root(parent: Any, pixel: Any) -> Any:
    while parent[pixel] != pixel:
        parent[pixel] = parent[parent[pixel]]
        pixel = parent[pixel]
    return pixel


@kernel
def _decide_descending(descending: Any, values: Any, shifted: Any, height: Any, offsets: Any) -> Any:
    verdict = np.zeros(values.size, np.uint8)
    parent = np.full(values.size, -1, np.int64)
    rank = np.zeros(values.size, np.uint8)
    highest_seed = shifted.copy()
    is_open = np.zeros(values.size, np.bool_)
    added = 0
    for pixel in descending:
        level = values[pixel]
        while added < descending.size and level - values[descending[added]] < height:
            root = descending[added]
            parent[root] = root
            for offset in offsets:
                other = descending[added] + offset
                if values[other] == np.inf:
                    is_open[root] = True
                elif parent[other] >= 0:
                    tree = _root(parent, other)
                    if tree != root:
                        if rank[tree] > rank[root]:
                            tree, root = root, tree
                        rank[root] += rank[root] == rank[tree]
                        parent[tree] = root
                        highest_seed[root] = max(highest_seed[root], highest_seed[tree])
                        is_open[root] = is_open[root] or is_open[tree]
            added += 1
        root = _root(parent, pixel)
        if level - highest_seed[root] < height:
            verdict[pixel] = NO
        elif is_open[root]:
            verdict[pixel] = MAYBE
        else:
            verdict[pixel] = YES
    return verdict
