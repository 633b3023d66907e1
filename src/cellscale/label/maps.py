"""The network's two maps of a region, smoothed as the whole image would be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError, UncertainError
from cellscale.label.kernels.smoothing import kernel_radius, smooth
from cellscale.label.parameters import Parameters
from cellscale.regions import Region

__all__ = ["LIMIT", "MapReader", "Maps", "read_maps"]

MapReader: TypeAlias = Callable[[Region], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Answers for a region inside the image with its maxima and its interior map, float32 of the region's shape."""

LIMIT = 2**30 - 2**24
"""Pixels of a region at most; label codes of a block must fit 31 bits."""


@dataclass(frozen=True, slots=True)
class Maps:
    """Smoothed maps of a region, float32; left as they are where no pixel can be inside the mask."""

    region: Region
    maxima: NDArray[np.float32]
    interior: NDArray[np.float32]

    def cut(self, region: Region) -> "Maps":
        """Return the part of the maps in ``region``, which lies inside."""
        inside = region.within(self.region)
        return Maps(region, self.maxima[inside], self.interior[inside])

    def hold(self, region: Region) -> bool:
        """Tell whether ``region`` lies inside."""
        own = self.region
        return (
            own.top <= region.top
            and own.left <= region.left
            and own.bottom >= region.bottom
            and own.right >= region.right
        )


def read_maps(
    read: MapReader, region: Region, shape: tuple[int, int], parameters: Parameters, *, limit: int = LIMIT
) -> Maps:
    """Read and smooth the maps of a region.

    Parameters
    ----------
    read
        Asked for ``region`` with the smoothing's reach, clipped to the image.
    region
        The rectangle wanted.
    shape
        Rows and columns of the whole image.
    parameters
        Which smoothing.
    limit
        Pixels that may be read at once.

    Raises
    ------
    ImageError
        If a map holds values that are not finite.
    UncertainError
        If the region is larger than allowed.
    """
    reach = max(kernel_radius(parameters.maxima_smoothing), kernel_radius(parameters.interior_smoothing))
    outer = region.grown(reach, shape)
    if outer.size > min(limit, LIMIT):
        raise UncertainError(
            f"to label a part of the image for certain, {outer.height} x {outer.width} pixels have to be looked at, "
            "and the memory does not suffice for so many; allow more (--max_memory), or raise the interior threshold "
            "so that objects come apart"
        )
    maxima, interior = read(outer)
    for name, values in (("maxima", maxima), ("interior", interior)):
        if not np.isfinite(values).all():
            raise ImageError(
                f"the {name} map holds values that are not finite in rows {outer.top} to {outer.bottom - 1}, columns "
                f"{outer.left} to {outer.right - 1}; check the image for values the network cannot take"
            )
    # A weighted mean is nowhere above the highest value, so that smoothing a blank region leaves it blank.
    is_blank = interior.max() <= np.float32(parameters.interior_threshold)
    return Maps(
        region,
        smooth(maxima, 0 if is_blank else parameters.maxima_smoothing, region, outer),
        smooth(interior, 0 if is_blank else parameters.interior_smoothing, region, outer),
    )
