"""Regions with names, in an image's pixels, and which of them a point is in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cellscale.errors import ImageError

__all__ = ["DrawnRegion", "DrawnRegions"]


@dataclass(frozen=True, slots=True)
class DrawnRegion:
    """One region."""

    name: str
    geometry: shapely.Geometry
    """A polygon or several, in pixels: x to the right and y down from the upper left corner of the first pixel."""


@dataclass(frozen=True, slots=True)
class DrawnRegions:
    """The regions of one image, in order; where several overlap the first one counts."""

    regions: tuple[DrawnRegion, ...]
    source: str
    """Where they are from, for messages."""

    @classmethod
    def named(cls, regions: Iterable[DrawnRegion], source: str) -> "DrawnRegions":
        """Return regions whose names are made different from each other: ``Tumor``, ``Tumor (2)``.

        Raises
        ------
        ImageError
            There is none, or one has no area or crosses itself.
        """
        seen: Counter[str] = Counter()
        distinct = []
        for region in regions:
            _require_sound(region, source)
            seen[region.name] += 1
            count = seen[region.name]
            distinct.append(DrawnRegion(region.name if count == 1 else f"{region.name} ({count})", region.geometry))
        if not distinct:
            raise ImageError(f"{source}: there is no region in it; at least one polygon is expected")
        return cls(tuple(distinct), source)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what they are called, all different."""
        return tuple(region.name for region in self.regions)

    @property
    def union(self) -> shapely.Geometry:
        """Return all of them as one."""
        return shapely.union_all([region.geometry for region in self.regions])

    def indices(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return which region holds each point, its border included; -1 for none.

        Parameters
        ----------
        points
            x and y in pixels, ``(n, 2)``.
        """
        found = np.full(len(points), -1)
        for index in reversed(range(len(self.regions))):
            geometry = self.regions[index].geometry
            shapely.prepare(geometry)
            found[shapely.intersects_xy(geometry, points[:, 0], points[:, 1])] = index
        return found

    def require_within(self, shape: tuple[int, int]) -> None:
        """Raise `ImageError` where a region has no part in an image of so many rows and columns."""
        image = shapely.box(0, 0, shape[1], shape[0])
        for region in self.regions:
            if region.geometry.intersection(image).area > 0:
                continue
            left, top, right, bottom = region.geometry.bounds
            raise ImageError(
                f"{self.source}: the region {region.name!r} reaches from x {left:g} to {right:g} and y {top:g} to "
                f"{bottom:g}, outside the image of {shape[1]} x {shape[0]} pixels (x, y). Regions are expected in "
                "pixels from the upper left corner; is it another image's, or in micrometres?"
            )


def _require_sound(region: DrawnRegion, source: str) -> None:
    geometry = region.geometry
    if not geometry.is_valid:
        raise ImageError(
            f"{source}: the outline of the region {region.name!r} is not valid "
            f"({shapely.is_valid_reason(geometry)}); it may not cross itself. Draw "
            "it again, or mend it (in QuPath: Objects > Annotations > Simplify)."
        )
    if not geometry.area > 0:
        raise ImageError(f"{source}: the region {region.name!r} has no area; draw it again, or take it out")
