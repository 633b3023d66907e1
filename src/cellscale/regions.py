"""Rectangles of an image, and readers that answer for one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

__all__ = ["Region", "RegionReader", "blocks", "covering"]


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """A rectangle in whole-image pixel coordinates, half open: rows ``top`` to ``bottom - 1``."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def size(self) -> int:
        """Number of pixels."""
        return self.height * self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rectangle as an index into the whole image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, margin: int, shape: tuple[int, int]) -> "Region":
        """Return the rectangle with ``margin`` more pixels on every side, clipped to an image of ``shape``."""
        return Region(
            max(self.top - margin, 0),
            max(self.left - margin, 0),
            min(self.bottom + margin, shape[0]),
            min(self.right + margin, shape[1]),
        )

    def within(self, outer: "Region") -> tuple[slice, slice]:
        """Return this rectangle as an index into an array that holds ``outer``."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )


RegionReader: TypeAlias = Callable[[Region], NDArray[Any]]
"""Answers for a region that lies inside the image with an array whose last two axes are its rows and columns."""


def blocks(shape: tuple[int, int], size: tuple[int, int]) -> Iterator[Region]:
    """Yield the regions of at most ``size`` that tile an image of ``shape``, in raster order."""
    for top in range(0, shape[0], size[0]):
        for left in range(0, shape[1], size[1]):
            yield Region(top, left, min(top + size[0], shape[0]), min(left + size[1], shape[1]))


def covering(regions: Iterable[Region]) -> Region:
    """Return the smallest rectangle that covers all ``regions``, of which there is at least one."""
    tops, lefts, bottoms, rights = zip(
        *((part.top, part.left, part.bottom, part.right) for part in regions), strict=True
    )
    return Region(min(tops), min(lefts), max(bottoms), max(rights))
