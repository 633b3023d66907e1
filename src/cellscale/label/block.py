"""One block's labels, equal to the whole image's, and the proof of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.label.maps import LIMIT, MapReader, Maps, read_maps
from cellscale.label.objects import Objects, merge_objects
from cellscale.label.parameters import Parameters
from cellscale.label.tile import LabelledTile, label_tile
from cellscale.regions import Region, blocks

__all__ = ["Certificate", "LabelledBlock", "label_block"]

_TILE = 512
"""Side of the tiles a block is labelled in: what the flood jumps around in then fits a core's cache."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """How a block came to be certain: no pixel of it depends on what lies beyond its halo."""

    halo: int
    """Pixels of the largest halo that a tile of the block needed."""

    enlargements: int
    """How often a tile's halo was doubled."""


@dataclass(frozen=True, slots=True)
class LabelledBlock:
    """A block's pixels as objects with an identity that holds for the whole image."""

    core: Region
    """The block, without halo."""

    labels: NDArray[np.int32]
    """The core's pixels: 0 for background, or one more than the object's row in ``objects``."""

    objects: Objects
    """What the block adds to the facts of each object in it or touching it."""

    certificate: Certificate

    def identities(self, part: Region) -> NDArray[np.int64]:
        """Return the identity of each pixel of a part of the core; 0 for background."""
        numbers = np.concatenate([np.zeros(1, np.int64), self.objects.identities])
        return numbers[self.labels[part.within(self.core)]]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for storage."""
        core, certificate = self.core, self.certificate
        return {
            "core": np.array([core.top, core.left, core.bottom, core.right], np.int64),
            "labels": self.labels,
            "identities": self.objects.identities,
            "sizes": self.objects.sizes,
            "boxes": self.objects.boxes,
            "euler_quarters": self.objects.euler_quarters,
            "certificate": np.array([certificate.halo, certificate.enlargements], np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "LabelledBlock":
        """Return the block that :meth:`to_arrays` was called on."""
        objects = Objects(arrays["identities"], arrays["sizes"], arrays["boxes"], arrays["euler_quarters"])
        core = Region(*(int(side) for side in arrays["core"]))
        halo, enlargements = (int(number) for number in arrays["certificate"])
        return cls(core, arrays["labels"], objects, Certificate(halo, enlargements))


def label_block(
    read: MapReader,
    core: Region,
    shape: tuple[int, int],
    parameters: Parameters,
    *,
    halo: int = 32,
    limit: int = LIMIT,
) -> LabelledBlock:
    """Label one block as the whole-image run would.

    The block is labelled in tiles with a halo, and an adversary acts on a halo's open sides. While the adversary can
    change anything in a tile, its halo is doubled, up to the whole image.

    Parameters
    ----------
    read
        Reads the network's maps. It is asked for the block with its halo and the smoothing's reach, clipped to the
        image, and for more where that does not suffice.
    core
        The block.
    shape
        Rows and columns of the whole image.
    parameters
        How to label.
    halo
        Pixels of halo to begin with; at least 1. It does not change the labels.
    limit
        Pixels of a tile with its halo that may be looked at, or of the block if that is more.

    Returns
    -------
    The labelled block with its certificate.

    Raises
    ------
    ImageError
        If a map holds values that are not finite.
    UncertainError
        If a tile is not certain with as many pixels around it as are allowed.
    """
    if halo < 1:
        raise ValueError(f"halo is {halo}, expected at least 1")
    halo = max(halo, parameters.label_erosion + 1)
    maps = read_maps(read, core.grown(halo, shape), shape, parameters)
    tiles = []
    largest, enlargements = halo, 0
    for tile in blocks(core.shape, (_TILE, _TILE)):
        region = Region(tile.top + core.top, tile.left + core.left, tile.bottom + core.top, tile.right + core.left)
        labelled, doublings = _certain_tile(read, maps, region, shape, parameters, halo, limit)
        tiles.append(labelled)
        largest = max(largest, halo << doublings)
        enlargements += doublings
    return _joined(core, tiles, Certificate(largest, enlargements))


def _certain_tile(
    read: MapReader,
    maps: Maps,
    core: Region,
    shape: tuple[int, int],
    parameters: Parameters,
    halo: int,
    limit: int,
) -> tuple[LabelledTile, int]:
    """Double the halo until the tile is certain; return the tile and the number of doublings."""
    doublings = 0
    while True:
        haloed = core.grown(halo << doublings, shape)
        seen = maps.cut(haloed) if maps.hold(haloed) else read_maps(read, haloed, shape, parameters, limit=limit)
        labelled = label_tile(seen, core, shape, parameters)
        if labelled is not None:
            return labelled, doublings
        doublings += 1


def _joined(core: Region, tiles: list[LabelledTile], certificate: Certificate) -> LabelledBlock:
    """Put tiles together, with one row for each object."""
    objects = merge_objects(tile.objects for tile in tiles)
    labels = np.zeros(core.shape, np.int32)
    for tile in tiles:
        if not len(tile.objects):
            continue
        rows = np.searchsorted(objects.identities, tile.objects.identities) + 1
        labels[tile.core.within(core)] = np.concatenate([[0], rows]).astype(np.int32)[tile.labels]
    return LabelledBlock(core, labels, objects, certificate)
