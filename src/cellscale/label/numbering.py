"""From identities to the final labels 1 to n."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.label.block import LabelledBlock
from cellscale.label.kernels.arrays import Labels
from cellscale.label.kernels.holes import fill_holes
from cellscale.label.large_objects import LargeObjects
from cellscale.label.objects import Objects
from cellscale.label.parameters import Parameters
from cellscale.regions import Region, RegionReader

__all__ = ["Resolution", "finish_block", "finish_region", "resolve_objects"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of all objects: all that is needed to finish any region on its own."""

    width: int
    """Columns of the whole image."""

    identities: NDArray[np.int64]
    """The surviving objects, ascending; label k is row k - 1."""

    patch_pixels: NDArray[np.int64]
    """Row-major indices of the pixels that hole filling changed, ascending."""

    patch_identities: NDArray[np.int64]
    """The object that each changed pixel belongs to."""

    def __len__(self) -> int:
        return self.identities.size

    def numbers(self, identities: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the final label of each identity; 0 for background and for objects that did not survive."""
        if not len(self):
            return np.zeros(identities.shape, np.int32)
        places = np.minimum(np.searchsorted(self.identities, identities), len(self) - 1)
        return np.where(self.identities[places] == identities, places + 1, 0).astype(np.int32)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for storage."""
        return {
            "width": np.array(self.width, np.int64),
            "identities": self.identities,
            "patch_pixels": self.patch_pixels,
            "patch_identities": self.patch_identities,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Resolution":
        """Return the resolution that :meth:`to_arrays` was called on."""
        return cls(int(arrays["width"]), arrays["identities"], arrays["patch_pixels"], arrays["patch_identities"])


def resolve_objects(
    objects: Iterable[Objects], read_identities: RegionReader, shape: tuple[int, int], parameters: Parameters
) -> Resolution:
    """Remove small objects, fill holes, and settle the numbering.

    Parameters
    ----------
    objects
        Every object of the image once, some at a time, in any order.
    read_identities
        Reads the identity of every pixel of a region as int64, 0 for background. It is asked for the bounding boxes
        of objects with holes, in pieces of about a megapixel at most.
    shape
        Rows and columns of the whole image.
    parameters
        How to label.
    """
    census = LargeObjects.of(objects, parameters.small_objects)
    overlay, sizes = fill_holes(census, read_identities, parameters.holes)
    return Resolution(shape[1], census.identities[sizes > 0], *overlay.pixels(shape[1]))


def finish_block(block: LabelledBlock, resolution: Resolution) -> NDArray[np.int32]:
    """Return the final labels of a block's core; 0 for background."""
    numbers = np.concatenate([np.zeros(1, np.int32), resolution.numbers(block.objects.identities)])
    labels: NDArray[np.int32] = numbers[block.labels] if numbers.any() else np.zeros(block.core.shape, np.int32)
    _patch(labels, resolution, block.core)
    return labels


def finish_region(identities: NDArray[np.int64], resolution: Resolution, region: Region) -> NDArray[np.int32]:
    """Return the final labels of any region, given the identity of each of its pixels; 0 for background."""
    labels = _numbered(np.ascontiguousarray(identities), resolution.identities)
    _patch(labels, resolution, region)
    return labels


def _patch(labels: NDArray[np.int32], resolution: Resolution, region: Region) -> None:
    ends = np.searchsorted(resolution.patch_pixels, [region.top * resolution.width, region.bottom * resolution.width])
    rows, columns = np.divmod(resolution.patch_pixels[slice(*ends)], resolution.width)
    inside = (columns >= region.left) & (columns < region.right)
    numbers = resolution.numbers(resolution.patch_identities[slice(*ends)][inside])
    labels[rows[inside] - region.top, columns[inside] - region.left] = numbers


@kernel
def _numbered(identities: NDArray[np.int64], survivors: NDArray[np.int64]) -> Labels:
    """Look up each pixel's number, once for a run of equal pixels."""
    labels = np.empty(identities.shape, np.int32)
    identity, number = np.int64(0), 0
    for row in range(identities.shape[0]):
        for column in range(identities.shape[1]):
            if identities[row, column] != identity:
                identity = identities[row, column]
                place = np.searchsorted(survivors, identity)
                found = place < survivors.size and survivors[place] == identity
                number = place + 1 if found else 0
            labels[row, column] = number
    return labels
