"""One block's seeds and their pixels, exactly as the whole image has them.

Nothing has to be proven block by block here: a pixel's seed depends on the maps within `REACH` pixels and on nothing
beyond. What concerns more than one block is only counted: pixels of a seed in this block, and those that two seeds
share in it. The counts of all blocks add up to those of the whole image, of which
`cellscale.label.seeds.seed_numbers` makes the labels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.label.block import Certificate
from cellscale.label.seeds.fields import PEAK_DISTANCE, REACH, Classifier, Fields
from cellscale.label.seeds.peaks import find_seeds
from cellscale.label.seeds.seed_masks import grow_masks, overlaps
from cellscale.regions import Region

__all__ = ["FieldReader", "SeedBlock", "label_seed_block"]

FieldReader: TypeAlias = Callable[[Region], NDArray[np.float32]]
"""Answers for a region inside the image with one compartment's maps, float32 ``(5, rows, columns)``."""


@dataclass(frozen=True, slots=True)
class SeedBlock:
    """A block's pixels, each with the seed that it belongs to."""

    core: Region
    labels: NDArray[np.int32]
    """The core's pixels: 0 for background, or one more than the seed's row in ``seeds``."""
    seeds: NDArray[np.int64]
    """Seeds with pixels in the block, ascending, each by its place in the whole image in raster order, from 1."""
    areas: NDArray[np.int64]
    """Pixels of each in the block, those that others won included."""
    shared: NDArray[np.int64]
    """``(pairs, 3)``: rows of two seeds, and the pixels in the block that both claim."""

    @property
    def certificate(self) -> Certificate:
        """The halo that always suffices."""
        return Certificate(REACH, 0)

    def identities(self, part: Region) -> NDArray[np.int64]:
        """Return the seed of each pixel of a part of the core; 0 for background."""
        numbers = np.concatenate([np.zeros(1, np.int64), self.seeds])
        return numbers[self.labels[part.within(self.core)]]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for storage."""
        core = self.core
        return {
            "core": np.array([core.top, core.left, core.bottom, core.right], np.int64),
            "labels": self.labels,
            "seeds": self.seeds,
            "areas": self.areas,
            "shared": self.shared,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "SeedBlock":
        """Return the block that :meth:`to_arrays` was called on."""
        core = Region(*(int(side) for side in arrays["core"]))
        return cls(core, arrays["labels"], arrays["seeds"], arrays["areas"], arrays["shared"])


def label_seed_block(read: FieldReader, core: Region, shape: tuple[int, int], classifier: Classifier) -> SeedBlock:
    """Find a block's seeds and their pixels as the whole image has them.

    Parameters
    ----------
    read
        Reads the network's maps. It is asked for the block with `REACH` pixels around it, clipped to the image.
    core
        The block.
    shape
        Rows and columns of the whole image.
    classifier
        Judges pixels.

    Raises
    ------
    ImageError
        A map holds values that are not finite.
    """
    region = core.grown(REACH, shape)
    fields = Fields.of(read(region), region, shape)
    seeds = find_seeds(fields, core.grown(REACH - PEAK_DISTANCE, shape))
    owners, masks, corners = grow_masks(
        seeds,
        (fields.offsets, fields.spread),
        fields.steps,
        classifier.weights,
        (region.top, region.left),
        (core.top, core.left, core.bottom, core.right),
        shape,
    )
    areas, shared = overlaps(masks, corners)
    here = np.flatnonzero(areas)
    rows = np.zeros(len(seeds) + 1, np.int32)
    rows[here + 1] = np.arange(1, here.size + 1)
    shared[:, :2] = rows[shared[:, :2] + 1] - 1
    identities = seeds[here, 0] * shape[1] + seeds[here, 1] + 1
    return SeedBlock(core, rows[owners], identities, areas[here], shared)
