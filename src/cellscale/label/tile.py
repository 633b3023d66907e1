"""One tile's objects with a halo, or the news that the halo does not suffice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.label.kernels.erosion import eroded
from cellscale.label.kernels.frame import Frame
from cellscale.label.kernels.markers import FREE, OUTSIDE, UNKNOWN, mark
from cellscale.label.kernels.watershed import flood, seed_open_sides
from cellscale.label.maps import Maps
from cellscale.label.objects import Objects, measure, no_objects
from cellscale.label.parameters import Parameters
from cellscale.regions import Region

__all__ = ["LabelledTile", "label_tile"]


@dataclass(frozen=True, slots=True)
class LabelledTile:
    """A tile that no pixel beyond its halo can change."""

    core: Region

    labels: NDArray[np.int32]
    """The core's pixels: 0 for background, or one more than the object's row in ``objects``."""

    objects: Objects
    """What the tile adds to the facts of each object in it or touching it."""


def label_tile(maps: Maps, core: Region, shape: tuple[int, int], parameters: Parameters) -> LabelledTile | None:
    """Label a tile, with an adversary at the sides of ``maps`` that are not the image's own.

    Parameters
    ----------
    maps
        The tile with its halo, on each side that is not the image's at least a pixel more than objects are eroded.
    core
        The tile.
    shape
        Rows and columns of the whole image.
    parameters
        How to label.

    Returns
    -------
    The tile; None if the adversary can change a pixel of it, or of the row above and the column to the left.
    """
    frame = Frame(maps.region, shape, parameters.radius)
    seen = Region(max(core.top - 1, 0), max(core.left - 1, 0), core.bottom, core.right)
    needed = frame.slices(seen.grown(parameters.label_erosion, shape))
    values = frame.padded(maps.interior, beyond=-np.inf)
    inside = values > np.float32(parameters.interior_threshold)
    if not inside[needed].any():
        return LabelledTile(core, np.zeros(core.shape, np.int32), no_objects())
    labels = np.where(inside, np.int32(FREE), np.int32(OUTSIDE))
    firsts = mark(maps.maxima, labels, frame, parameters.maxima_threshold, radius=parameters.radius)
    seed_open_sides(labels, frame)
    flood(values, labels)
    if (labels[needed] == UNKNOWN).any():
        return None
    there = np.empty(0, np.int32)
    if parameters.label_erosion:
        there = np.unique(labels[frame.slices(core)])
        labels[needed] = eroded(labels[needed], parameters.label_erosion)
    return _summarised(labels, there[there > 0], _identities(firsts, frame), core, frame)


def _identities(firsts: NDArray[np.int64], frame: Frame) -> NDArray[np.int64]:
    """Return the identity in the whole image of each flat padded index."""
    rows, columns = np.divmod(firsts, frame.padded_shape[1])
    rows += frame.region.top - frame.pad
    columns += frame.region.left - frame.pad
    return rows * frame.shape[1] + columns + 1


def _summarised(
    labels: NDArray[np.int32], there: NDArray[np.int32], identities: NDArray[np.int64], core: Region, frame: Frame
) -> LabelledTile:
    """Cut out the core, and renumber its labels by ascending identity.

    What was ``there`` before erosion is noted even where nothing is left of it: whoever waits for the parts of an
    object, row of blocks after row, must not take a gap for its end.
    """
    below, right = core.bottom == frame.shape[0], core.right == frame.shape[1]
    window = labels[frame.slices(Region(core.top - 1, core.left - 1, core.bottom + below, core.right + right))]
    facts = measure(window, core.height, core.width, identities.size)
    is_present = (facts[:, 0] > 0) | (facts[:, 6] > 0)
    is_present[there] = True
    present = np.flatnonzero(is_present)
    present = present[np.argsort(identities[present - 1])]
    numbers = np.zeros(facts.shape[0], np.int32)
    numbers[present] = np.arange(1, present.size + 1)
    facts = facts[present]
    boxes = np.where(facts[:, :1] > 0, facts[:, 1:5] + [core.top, core.left, core.top, core.left], facts[:, 1:5])
    objects = Objects(identities[present - 1], facts[:, 0], boxes, facts[:, 5])
    return LabelledTile(core, numbers[np.maximum(labels[frame.slices(core)], 0)], objects)
