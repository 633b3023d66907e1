"""A haloed block as flat arrays with a padding around it, so that kernels need no bounds checks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.regions import Region

__all__ = ["Frame"]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a haloed block lies in its image, and how wide the padding around it is."""

    region: Region
    """The haloed block."""

    shape: tuple[int, int]
    """Rows and columns of the whole image."""

    pad: int
    """Pixels of padding on every side; at least 1."""

    @property
    def padded_shape(self) -> tuple[int, int]:
        """Rows and columns with the padding."""
        return self.region.height + 2 * self.pad, self.region.width + 2 * self.pad

    @property
    def inner(self) -> tuple[slice, slice]:
        """The haloed block as an index into a padded array."""
        return self.slices(self.region)

    @property
    def is_whole(self) -> bool:
        """Whether the haloed block is the whole image."""
        return self.region == Region(0, 0, *self.shape)

    @property
    def open_sides(self) -> tuple[bool, bool, bool, bool]:
        """Whether the image goes on beyond the top, left, bottom and right of the haloed block."""
        region = self.region
        return region.top > 0, region.left > 0, region.bottom < self.shape[0], region.right < self.shape[1]

    def slices(self, region: Region) -> tuple[slice, slice]:
        """Return a rectangle of the haloed block or its padding as an index into a padded array."""
        top, left = self.region.top - self.pad, self.region.left - self.pad
        return slice(region.top - top, region.bottom - top), slice(region.left - left, region.right - left)

    def padded(self, values: NDArray[np.float32], *, beyond: float) -> NDArray[np.float32]:
        """Return ``values`` with padding: ``beyond`` where the image goes on, minus infinity where it does not.

        Parameters
        ----------
        values
            The haloed block's rows and columns.
        beyond
            Value of padding pixels that lie inside the image.
        """
        full = np.full(self.padded_shape, -np.inf, np.float32)
        full[self.slices(self.region.grown(self.pad, self.shape))] = beyond
        full[self.inner] = values
        return full
