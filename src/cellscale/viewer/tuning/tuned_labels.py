"""Labels of a crop as tiles of the whole image, and one of its objects."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.heads import Compartment
from cellscale.regions import Region
from cellscale.viewer.planes.grid import TilePosition, level_shape, tile_region

__all__ = ["TunedLabels", "TunedObject"]


@dataclass(frozen=True, slots=True)
class TunedObject:
    """A cell or nucleus."""

    place: tuple[float, float]
    """x and y of its centre in pixels of the image."""
    pixels: int


@dataclass(frozen=True, slots=True)
class TunedLabels:
    """Labels of a part of an image."""

    shape: tuple[int, int]
    """Rows and columns of the image."""
    shown: Region
    """The part."""
    labels: Mapping[Compartment, NDArray[np.int32]]
    mpp: float | None

    def tile(self, compartment: Compartment, place: TilePosition) -> NDArray[np.uint32]:
        """Return a tile with one more pixel on every side, 0 where nothing was found."""
        region = tile_region(self.shape, place)
        height, width = level_shape(self.shape, place.level)
        rows, inner_rows = _pixels(region.top, region.bottom, height, place.level, self.shown.top, self.shown.bottom)
        columns, inner_columns = _pixels(
            region.left, region.right, width, place.level, self.shown.left, self.shown.right
        )
        tile = np.zeros((region.height + 2, region.width + 2), "<u4")
        if compartment in self.labels:
            tile[np.ix_(inner_rows, inner_columns)] = self.labels[compartment][np.ix_(rows, columns)]
        return tile

    def find(self, compartment: Compartment, label: int) -> TunedObject | None:
        """Return an object; None where there is none with this label."""
        if compartment not in self.labels:
            return None
        rows, columns = np.nonzero(self.labels[compartment] == label)
        if label < 1 or not len(rows):
            return None
        x, y = float(columns.mean()) + self.shown.left + 0.5, float(rows.mean()) + self.shown.top + 0.5
        return TunedObject((x, y), len(rows))


def _pixels(
    first: int, last: int, size: int, level: int, start: int, end: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return which pixels of the part a tile shows along an axis, and at which of its own places."""
    places = np.arange(first - 1, last + 1)
    pixels = places << level
    inside = (places >= 0) & (places < size) & (pixels >= start) & (pixels < end)
    return pixels[inside] - start, inside
