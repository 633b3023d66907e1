"""Regions with names, in an image's pixels, and which of them a point is in."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

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

    object_id: str = ""
    """UUID of the object that it is in QuPath; empty where it has none yet."""

    title: str | None = None
    """The name that a person gave to it; ``name`` may be that of its class."""

    path_class: str | None = None
    """Its class in QuPath, ``A: B`` for B below A."""

    color: tuple[int, int, int] | None = None
    """Of the class, RGB."""

    inside: str = ""
    """Name of the TMA core that it was drawn in, as QuPath shows it."""

    is_core: bool = False
    """Whether it is a TMA core, and no annotation."""

    @property
    def shown_name(self) -> str:
        """Return what QuPath's tables call it as the parent of an object."""
        kind = "TMA core" if self.is_core else "Annotation"
        own = self.title or (f"{kind} ({self.path_class})" if self.path_class else kind)
        return f"{self.inside} - {own}" if self.inside else own

    @property
    def core_name(self) -> str:
        """Return the name of the TMA core that it is, or was drawn in; empty for none."""
        return (self.title or "") if self.is_core else self.inside


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
            distinct.append(region if count == 1 else replace(region, name=f"{region.name} ({count})"))
        if not distinct:
            raise ImageError(f"{source}: there is no region in it; at least one polygon is expected")
        return cls(tuple(distinct), source)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what they are called, all different."""
        return tuple(region.name for region in self.regions)

    @property
    def mark(self) -> str:
        """Return a hash of what they are called and where they are."""
        found = hashlib.sha256()
        for region in self.regions:
            found.update(repr((region.name, region.object_id, region.title, region.path_class)).encode())
            found.update(shapely.to_wkb(region.geometry, byte_order=1))
        return found.hexdigest()

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
    # Of an outline that crosses itself what is on either side may cancel out; but not of what is around it.
    if not geometry.convex_hull.area > 0:
        raise ImageError(f"{source}: the region {region.name!r} has no area; draw it again, or take it out")
    if not geometry.is_valid:
        raise ImageError(
            f"{source}: the outline of the region {region.name!r} is not valid "
            f"({shapely.is_valid_reason(geometry)}); it may not cross itself. Draw "
            "it again, or mend it (in QuPath: Objects > Annotations > Simplify)."
        )
    if not geometry.area > 0:
        raise ImageError(f"{source}: the region {region.name!r} has no area; draw it again, or take it out")
