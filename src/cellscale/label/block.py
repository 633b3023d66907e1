"""One block's labels, equal to the whole image's, and the proof of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ImageError
from cellscale.label.frame import Frame
from cellscale.label.markers import FREE, OUTSIDE, UNKNOWN, mark
from cellscale.label.objects import Objects, measure
from cellscale.label.parameters import Parameters
from cellscale.label.smoothing import kernel_radius, smooth
from cellscale.label.watershed import flood, seed_open_sides
from cellscale.regions import Region

__all__ = ["Certificate", "LabelledBlock", "MapReader", "label_block"]

MapReader: TypeAlias = Callable[[Region], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Answers for a region inside the image with its maxima and its interior map, float32 of the region's shape."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """How a block came to be certain: no pixel of it depends on what lies beyond its halo."""

    halo: int
    """Pixels of halo in the end."""

    enlargements: int
    """How often the halo was doubled."""


@dataclass(frozen=True, slots=True)
class LabelledBlock:
    """A block's pixels as objects with an identity that holds for the whole image."""

    core: Region
    """The block, without halo."""

    labels: NDArray[np.int32]
    """The core's pixels: 0 for background, or one more than the object's row in ``objects``."""

    objects: Objects
    """What this block adds to the facts of each object in it or touching it."""

    certificate: Certificate

    def identities(self) -> NDArray[np.int64]:
        """Return the core's pixels as identities; 0 for background."""
        return np.concatenate([np.zeros(1, np.int64), self.objects.identities])[self.labels]

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
    read_maps: MapReader, core: Region, shape: tuple[int, int], parameters: Parameters, *, halo: int = 64
) -> LabelledBlock:
    """Label one block as the whole-image run would.

    The block is labelled with a halo, and an adversary acts on the halo's open sides. While the adversary can change
    anything in the core, or in the row above and the column to the left of it, the halo is doubled, up to the whole
    image.

    Parameters
    ----------
    read_maps
        Reads the network's maps. It is asked for the block with its halo and the smoothing's reach, clipped to the
        image.
    core
        The block.
    shape
        Rows and columns of the whole image.
    parameters
        How to label.
    halo
        Pixels of halo to begin with; at least 1.

    Returns
    -------
    The labelled block with its certificate.

    Raises
    ------
    ImageError
        If a map holds values that are not finite, or the halo grows beyond what a block can hold.
    """
    if halo < 1:
        raise ValueError(f"halo is {halo}, expected at least 1")
    needed = Region(max(core.top - 1, 0), max(core.left - 1, 0), core.bottom, core.right)
    enlargements = 0
    while True:
        frame = Frame(core.grown(halo, shape), shape, parameters.radius)
        labels, identities = _label_frame(read_maps, frame, needed, parameters)
        if not (labels[frame.slices(needed)] == UNKNOWN).any():
            break
        halo *= 2
        enlargements += 1
    return _summarised(labels, identities, core, frame, Certificate(halo, enlargements))


def _label_frame(
    read_maps: MapReader, frame: Frame, needed: Region, parameters: Parameters
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the padded labels of a haloed block and the identity of each label from 1 on."""
    maxima, interior = _read_smoothed(read_maps, frame, parameters)
    values = frame.padded(interior, beyond=-np.inf)
    inside = values > np.float32(parameters.interior_threshold)
    labels = np.where(inside, np.int32(FREE), np.int32(OUTSIDE))
    if not inside[frame.slices(needed)].any():
        return labels, np.empty(0, np.int64)
    firsts = mark(maxima, labels, frame, parameters.maxima_threshold, radius=parameters.radius)
    seed_open_sides(labels, frame)
    flood(values, labels)
    rows, columns = np.divmod(firsts, labels.shape[1])
    rows += frame.region.top - frame.pad
    columns += frame.region.left - frame.pad
    return labels, rows * frame.shape[1] + columns + 1


def _read_smoothed(
    read_maps: MapReader, frame: Frame, parameters: Parameters
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    region = frame.region
    reach = max(kernel_radius(parameters.maxima_smoothing), kernel_radius(parameters.interior_smoothing))
    outer = region.grown(reach, frame.shape)
    if outer.size >= 2**31 - 2**24:
        raise ImageError(
            f"a block of {outer.height} x {outer.width} pixels does not suffice to label a part of the image for "
            "certain, and larger ones are not supported; raise the interior threshold so that objects come apart"
        )
    maxima, interior = read_maps(outer)
    for name, values in (("maxima", maxima), ("interior", interior)):
        if not np.isfinite(values).all():
            raise ImageError(
                f"the {name} map holds values that are not finite in rows {outer.top} to {outer.bottom - 1}, columns "
                f"{outer.left} to {outer.right - 1}; check the image for values the network cannot take"
            )
    return (
        smooth(maxima, parameters.maxima_smoothing, region, outer),
        smooth(interior, parameters.interior_smoothing, region, outer),
    )


def _summarised(
    labels: NDArray[np.int32], identities: NDArray[np.int64], core: Region, frame: Frame, certificate: Certificate
) -> LabelledBlock:
    """Cut out the core, and renumber its labels by ascending identity."""
    below, right = core.bottom == frame.shape[0], core.right == frame.shape[1]
    window = labels[frame.slices(Region(core.top - 1, core.left - 1, core.bottom + below, core.right + right))]
    facts = measure(window, core.height, core.width, identities.size)
    present = np.flatnonzero((facts[:, 0] > 0) | (facts[:, 6] > 0))
    present = present[np.argsort(identities[present - 1])]
    numbers = np.zeros(facts.shape[0], np.int32)
    numbers[present] = np.arange(1, present.size + 1)
    facts = facts[present]
    boxes = np.where(facts[:, :1] > 0, facts[:, 1:5] + [core.top, core.left, core.top, core.left], facts[:, 1:5])
    objects = Objects(identities[present - 1], facts[:, 0], boxes, facts[:, 5])
    return LabelledBlock(core, numbers[np.maximum(labels[frame.slices(core)], 0)], objects, certificate)
