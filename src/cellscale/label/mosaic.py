"""Labelled blocks, read as one image."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region

__all__ = ["Mosaic"]


class KnownPixels(Protocol):
    """A block that knows the identity of its pixels."""

    @property
    def core(self) -> Region:
        """The block, without halo."""

    def identities(self, part: Region) -> NDArray[np.int64]:
        """Return the identity of each pixel of a part of the core; 0 for background."""


@dataclass(frozen=True, slots=True)
class Mosaic:
    """The blocks that tile an image, in raster order, each loaded when it is asked for.

    Of a block a part may have been labelled, or nothing; the rest is background.
    """

    shape: tuple[int, int]
    """Rows and columns of the whole image."""

    block_size: tuple[int, int]
    """Rows and columns of a block, as :func:`cellscale.regions.blocks` took them."""

    load: Callable[[int], KnownPixels]
    """Returns the block of a raster-order index. Wrap it in a cache where loading is dear."""

    def identities(self, region: Region) -> NDArray[np.int64]:
        """Return the identity of each pixel of ``region``; 0 for background."""
        pixels = np.zeros(region.shape, np.int64)
        height, width = self.block_size
        across = -(-self.shape[1] // width)
        for down in range(region.top // height, -(-region.bottom // height)):
            for right in range(region.left // width, -(-region.right // width)):
                block = self.load(down * across + right)
                core = block.core
                part = Region(
                    max(region.top, core.top),
                    max(region.left, core.left),
                    min(region.bottom, core.bottom),
                    min(region.right, core.right),
                )
                if part.height > 0 and part.width > 0:  # else of this block only another part was labelled
                    pixels[part.within(region)] = block.identities(part)
        return pixels
