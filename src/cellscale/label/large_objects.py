"""All objects of an image, in the little that numbering needs of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.label.objects import Objects, merge_objects

__all__ = ["LargeObjects"]

_ONE_PIECE = 4
"""Four times the Euler number of an object in one piece without holes."""


@dataclass(frozen=True, slots=True)
class LargeObjects:
    """The objects of an image that are large enough to stay, ascending by identity."""

    identities: NDArray[np.int64]
    """As in :class:`Objects`, ``(n,)``."""

    sizes: NDArray[np.int64]
    """Number of pixels, ``(n,)``."""

    holed: Objects
    """Those that have holes, or parts that meet at corners only."""

    @classmethod
    def of(cls, objects: Iterable[Objects], smallest: int) -> "LargeObjects":
        """Take the census.

        Parameters
        ----------
        objects
            Whole objects, each of them once, in any order.
        smallest
            Objects with fewer pixels are left out, and those without any.
        """
        smallest = max(smallest, 1)
        identities, sizes, holed = [np.empty(0, np.int64)], [np.empty(0, np.int64)], []
        for some in objects:
            large = some.take(some.sizes >= smallest)
            identities.append(large.identities)
            sizes.append(large.sizes)
            holed.append(large.take(large.euler_quarters < _ONE_PIECE))
        every = np.concatenate(identities)
        order = np.argsort(every, kind="stable")
        return cls(every[order], np.concatenate(sizes)[order], merge_objects(holed))
