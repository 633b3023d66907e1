"""The part of an image that is wanted: regions, less what is left out."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from cellscale.annotations.drawn_regions import DrawnRegion, DrawnRegions
from cellscale.annotations.geojson_regions import read_geojson
from cellscale.errors import ImageError
from cellscale.regions import Region
from cellscale.storage.uri import base_name, find, join, read_bytes

__all__ = ["RegionFile", "WantedArea", "wanted_area"]

WHOLE = "Image"
"""Name of the only region where all of the image is wanted but what is left out."""


@dataclass(frozen=True, slots=True)
class WantedArea:
    """Regions of one image, and what of them is left out."""

    regions: DrawnRegions
    left_out: shapely.Geometry
    geometry: shapely.Geometry
    """All that is wanted, as one."""

    is_drawn: bool = True
    """Whether somebody drew the regions; False where the only one is the whole image."""

    @classmethod
    def of(cls, regions: DrawnRegions, left_out: shapely.Geometry, *, is_drawn: bool = True) -> "WantedArea":
        """Return regions less what is left out."""
        return cls(regions, left_out, shapely.difference(regions.union, left_out), is_drawn)

    @property
    def drawn(self) -> tuple[DrawnRegion, ...]:
        """Return the regions that somebody drew."""
        return self.regions.regions if self.is_drawn else ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the regions are called."""
        return self.regions.names

    def indices(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return which region holds each point (x, y in pixels, ``(n, 2)``); -1 for none, and where left out."""
        found = self.regions.indices(points)
        if not self.left_out.is_empty:
            shapely.prepare(self.left_out)  # of tissue it has thousands of corners
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

    def pixels(self, region: Region, shape: tuple[int, int], image: tuple[int, int]) -> NDArray[np.bool_]:
        """Tell which pixels of a rectangle have their centre in what is wanted.

        Parameters
        ----------
        region
            The rectangle.
        shape
            Rows and columns of the image as the rectangle has them: at any scale.
        image
            Rows and columns of the image itself.
        """
        down, across = (size / own for size, own in zip(image, shape, strict=True))
        box = shapely.box(region.left * across, region.top * down, region.right * across, region.bottom * down)
        shapely.prepare(self.geometry)
        if not shapely.intersects(self.geometry, box):
            return np.zeros(region.shape, np.bool_)
        if shapely.covers(self.geometry, box):
            return np.ones(region.shape, np.bool_)
        x = (np.arange(region.left, region.right) + 0.5) * across
        y = (np.arange(region.top, region.bottom) + 0.5) * down
        return np.asarray(shapely.contains_xy(self.geometry, x[np.newaxis], y[:, np.newaxis]), np.bool_)

    def areas(self) -> list[float]:
        """Return the size of each region in pixels, without what is left out or lies in a region before it."""
        areas, taken = [], self.left_out
        for region in self.regions.regions:
            areas.append(float(shapely.difference(region.geometry, taken).area))
            taken = shapely.union(taken, region.geometry)
        return areas


@dataclass(frozen=True, slots=True)
class RegionFile:
    """A GeoJSON file with regions of an image, or a folder that has one."""

    place: str
    """Path or URI of the file, or of a folder with ``<image>.geojson``."""

    image: str
    """The image's name."""

    @property
    def mark(self) -> str:
        """Return a hash of what is in it.

        Raises
        ------
        ImageError
            It is not there.
        StorageError
            It cannot be read.
        """
        return hashlib.sha256(self._content()[1]).hexdigest()

    def read(self) -> DrawnRegions:
        """Return the regions.

        Raises
        ------
        ImageError
            The file is not there, or is not as expected.
        """
        file, content = self._content()
        return read_geojson(content, base_name(file))

    def _content(self) -> tuple[str, bytes]:
        file = self.place
        if not file.lower().endswith((".geojson", ".json")):
            file = str(join(file, f"{self.image}.geojson"))
        if find(file) is None:
            raise ImageError(
                f"{file}: there is no such file of regions; a GeoJSON file is expected, or a folder that has "
                f"{self.image}.geojson"
            )
        return file, read_bytes(file)


def wanted_area(
    regions: DrawnRegions | None, exclude: DrawnRegions | None, shape: tuple[int, int]
) -> WantedArea | None:
    """Return the part of an image that is wanted; None for all of it.

    Parameters
    ----------
    regions, exclude
        What is wanted, None for the whole image; and what of it is left out, None for nothing.
    shape
        The image's rows and columns.

    Raises
    ------
    ImageError
        A region lies outside the image, or nothing is left.
    """
    if regions is None and exclude is None:
        return None
    whole = shapely.box(0, 0, shape[1], shape[0])
    drawn = DrawnRegions((DrawnRegion(WHOLE, whole),), "the image")
    if regions is not None:
        regions.require_within(shape)
        parts = [replace(one, geometry=_within(one.geometry, whole)) for one in regions.regions]
        drawn = DrawnRegions(tuple(parts), regions.source)
    left_out = shapely.Polygon()
    if exclude is not None:
        exclude.require_within(shape)
        left_out = exclude.union
    area = WantedArea.of(drawn, left_out, is_drawn=regions is not None)
    if not sum(area.areas()) > 0:
        told = "" if exclude is None else f" without what {exclude.source} leaves out"
        raise ImageError(f"nothing is left of the regions ({drawn.source}){told}")
    return area


def _within(geometry: shapely.Geometry, whole: shapely.Geometry) -> shapely.Geometry:
    """Return the part of a region that is in the image, without lines along which it only touches its border."""
    if shapely.covers(whole, geometry):
        return geometry  # an intersection may begin at another corner: another file for the same region
    found = shapely.intersection(geometry, whole)
    if found.geom_type in ("Polygon", "MultiPolygon"):
        return found
    return shapely.union_all([part for part in shapely.get_parts(found) if part.area > 0])
