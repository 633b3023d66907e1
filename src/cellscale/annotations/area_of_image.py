"""The part of an image that is wanted: regions, less what is left out."""

import hashlib
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cellscale.annotations.drawn_regions import DrawnRegion, DrawnRegions
from cellscale.annotations.geojson_regions import read_geojson
from cellscale.errors import ImageError
from cellscale.regions import Region
from cellscale.storage.uri import base_name, find, join, read_bytes

__all__ = ["WantedArea", "area_mark", "wanted_area"]

WHOLE = "Image"
"""Name of the only region where all of the image is wanted but what is left out."""


@dataclass(frozen=True, slots=True)
class WantedArea:
    """Regions of one image, and what of them is left out."""

    regions: DrawnRegions
    left_out: shapely.Geometry
    geometry: shapely.Geometry
    """All that is wanted, as one."""

    @classmethod
    def of(cls, regions: DrawnRegions, left_out: shapely.Geometry) -> "WantedArea":
        """Return regions less what is left out."""
        return cls(regions, left_out, shapely.difference(regions.union, left_out))

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the regions are called."""
        return self.regions.names

    def indices(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return which region holds each point (x, y in pixels, ``(n, 2)``); -1 for none, and where left out."""
        found = self.regions.indices(points)
        if not self.left_out.is_empty:
            found[shapely.contains_xy(self.left_out, points[:, 0], points[:, 1])] = -1
        return found

    def part(self, region: Region) -> Region | None:
        """Return the smallest rectangle that holds what is wanted of a rectangle of the image; None for nothing."""
        box = shapely.box(region.left, region.top, region.right, region.bottom)
        wanted = shapely.intersection(self.geometry, box)
        if wanted.is_empty:
            return None
        left, top, right, bottom = wanted.bounds
        return Region(
            max(int(np.floor(top)), region.top),
            max(int(np.floor(left)), region.left),
            min(int(np.ceil(bottom)), region.bottom),
            min(int(np.ceil(right)), region.right),
        )

    def touched(self, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which rectangles (left, top, right, bottom, ``(n, 4)``) touch what is wanted."""
        shapely.prepare(self.geometry)
        return np.asarray(shapely.intersects(self.geometry, shapely.box(*boxes.T)), np.bool_)

    def areas(self) -> list[float]:
        """Return the size of each region in pixels, without what is left out or lies in a region before it."""
        areas, taken = [], self.left_out
        for region in self.regions.regions:
            areas.append(float(shapely.difference(region.geometry, taken).area))
            taken = shapely.union(taken, region.geometry)
        return areas


def area_mark(regions: str | None, exclude: str | None, image: str) -> dict[str, str]:
    """Return hashes of the files that say what is wanted of an image; empty where all of it is.

    Raises
    ------
    ImageError
        A file is not there.
    StorageError
        It cannot be read.
    """
    given = {"regions": regions, "exclude": exclude}
    return {
        word: hashlib.sha256(_content(place, image)[1]).hexdigest()
        for word, place in given.items()
        if place is not None
    }


def wanted_area(regions: str | None, exclude: str | None, image: str, shape: tuple[int, int]) -> WantedArea | None:
    """Return the part of an image that is wanted; None for all of it.

    Parameters
    ----------
    regions, exclude
        Path or URI of a GeoJSON file, or of a folder that has ``<image>.geojson``; None for the whole image, and for
        leaving out nothing.
    image
        The image's name.
    shape
        Its rows and columns.

    Raises
    ------
    ImageError
        A file is not there, or is not as expected, or a region lies outside the image, or nothing is left.
    """
    if regions is None and exclude is None:
        return None
    whole = shapely.box(0, 0, shape[1], shape[0])
    drawn = DrawnRegions((DrawnRegion(WHOLE, whole),), "the image")
    if regions is not None:
        drawn = _read(regions, image, shape)
        parts = [DrawnRegion(one.name, shapely.intersection(one.geometry, whole)) for one in drawn.regions]
        drawn = DrawnRegions(tuple(parts), drawn.source)
    left_out = shapely.Polygon() if exclude is None else _read(exclude, image, shape).union
    area = WantedArea.of(drawn, left_out)
    if not sum(area.areas()) > 0:
        raise ImageError(f"nothing is left of the regions ({drawn.source}) without what {exclude} leaves out")
    return area


def _read(place: str, image: str, shape: tuple[int, int]) -> DrawnRegions:
    file, content = _content(place, image)
    drawn = read_geojson(content, base_name(file))
    drawn.require_within(shape)
    return drawn


def _content(place: str, image: str) -> tuple[str, bytes]:
    """Return the file of an image's regions, and what is in it."""
    file = place
    if not place.lower().endswith((".geojson", ".json")):
        file = str(join(place, f"{image}.geojson"))
    if find(file) is None:
        raise ImageError(
            f"{file}: there is no such file of regions; a GeoJSON file is expected, or a folder that has "
            f"{image}.geojson"
        )
    return file, read_bytes(file)
