"""One pair of masks: how far they agree, and pictures of where they differ most."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import CellscaleError, MaskError
from cellscale.images.channels import combined_reader, select_channels
from cellscale.images.masks import Mask, open_mask
from cellscale.predict.heads import Compartment
from cellscale.regions import Region, RegionReader, blocks
from cellscale.report.comparison.mask_sides import MaskPair
from cellscale.report.comparison.matched_objects import Matches, Objects, match_objects
from cellscale.report.comparison.overlaps import count_overlaps
from cellscale.report.pictures.picture import Picture, contrast_of, draw, outlines
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image

__all__ = ["FIRST", "SECOND", "SIDE", "Comparison", "Difference", "compare_masks"]

SIDE = 256
"""Rows and columns of a picture, and of the tiles among which it is chosen."""
SHOWN = 6
"""Pictures of a pair of masks."""
FIRST, SECOND, BOTH = (86, 180, 233), (230, 159, 0), (255, 255, 255)
"""Colours of what only the first, only the second and both masks have, which all eyes tell apart."""

_PIXELS = 1 << 22
"""Pixels of a mask that are read at once."""
_FILLED = np.float32(0.35)
"""How strongly an object without a partner is filled."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of an image, and how the masks differ there."""

    region: Region
    alone: tuple[int, int]
    """Objects of the first and of the second without a partner."""
    picture: Picture


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two masks of an image, compared."""

    image: str
    compartment: Compartment
    shape: tuple[int, int]
    matches: Matches
    differences: tuple[Difference, ...]
    """Those that differ most first."""


def compare_masks(pair: MaskPair, *, workers: int = 1) -> Comparison:
    """Compare two masks, read part by part.

    Parameters
    ----------
    pair
        Where they are.
    workers
        Threads. Does not change the result.

    Raises
    ------
    MaskError
        One is no label mask, or they differ in size.
    StorageError
        One cannot be read.
    """
    with open_mask(pair.first) as first, open_mask(pair.second) as second:
        if first.shape != second.shape:
            sizes = " and ".join(f"{rows} x {columns}" for rows, columns in (first.shape, second.shape))
            raise MaskError(
                f"{pair.image}: the masks have {sizes} pixels (rows x columns); both must be of the same image at "
                "the same resolution: scale one, or export it again"
            )
        regions = blocks(first.shape, _step(first, second))
        matches = match_objects(count_overlaps(first.read, second.read, regions, workers))
        differences = _differences(matches, first, second, pair.entry)
        return Comparison(pair.image, pair.compartment, first.shape, matches, differences)


def _step(*masks: Mask) -> tuple[int, int]:
    """Return rows and columns that are read at once: what a file decodes together is not decoded many times."""
    columns = masks[0].shape[1]
    if any(mask.info.chunk[1] >= columns for mask in masks):
        return max(_PIXELS // columns, 1), columns
    return 2048, 2048


def _differences(matches: Matches, first: Mask, second: Mask, entry: ImageEntry | None) -> tuple[Difference, ...]:
    shape = first.shape
    counts = [_alone(objects, shape) for objects in (matches.first, matches.second)]
    both = counts[0] + counts[1]
    order = np.argsort(-both, axis=None, kind="stable")[:SHOWN]
    places = [divmod(int(place), both.shape[1]) for place in order if both.flat[place]]
    if not places:
        return ()
    with ExitStack() as opened:
        pixels = _pixels(entry, shape, opened)
        return tuple(
            Difference(
                region := _tile(place, shape),
                (int(counts[0][place]), int(counts[1][place])),
                _picture(region, (first.read, second.read), (matches.first, matches.second), shape, pixels),
            )
            for place in places
        )


def _alone(objects: Objects, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Count objects without a partner by the tile of their centroids."""
    grid = tuple(-(-length // SIDE) for length in shape)
    counts = np.zeros(grid, np.int64)
    rows, columns = (
        np.clip(places[~objects.matched] / SIDE, 0, count - 1).astype(np.int64)
        for places, count in zip((objects.rows, objects.columns), grid, strict=True)
    )
    np.add.at(counts, (rows, columns), 1)
    return counts


def _tile(place: tuple[int, int], shape: tuple[int, int]) -> Region:
    """Return a tile; the last ones are moved inwards, so that all pictures are as large as can be."""
    top, left = (max(min(index * SIDE, length - SIDE), 0) for index, length in zip(place, shape, strict=True))
    return Region(top, left, min(top + SIDE, shape[0]), min(left + SIDE, shape[1]))


def _pixels(entry: ImageEntry | None, shape: tuple[int, int], opened: ExitStack) -> RegionReader | None:
    """Return a reader of the nuclear stain; None where there is no image that fits, which masks do without."""
    if entry is None or entry.problem is not None:
        return None
    with suppress(CellscaleError):
        image = open_entry_image(entry)
        opened.callback(image.close)
        if image.info.shape == shape:
            return combined_reader(image, select_channels(image.info).nuclear)
    return None


def _picture(
    region: Region,
    masks: Sequence[RegionReader],
    objects: Sequence[Objects],
    shape: tuple[int, int],
    pixels: RegionReader | None,
) -> Picture:
    """Return a part of the image in grey, with the outlines of both masks; objects without a partner are filled."""
    grey = np.zeros(region.shape, np.uint8)
    if pixels is not None:
        plane = pixels(region)
        grey = np.rint(contrast_of([plane]).stretched(plane) * 160).astype(np.uint8)
    picture = np.repeat(grey[..., None], 3, axis=2)
    edges = [outlines(read, region, shape) for read in masks]
    for read, side, colour in zip(masks, objects, (FIRST, SECOND), strict=True):
        alone = np.isin(read(region), side.labels[~side.matched])
        picture = draw(picture, alone * _FILLED, colour)
    for edge, colour in ((edges[0], FIRST), (edges[1], SECOND), (edges[0] & edges[1], BOTH)):
        picture = draw(picture, edge, colour)
    return picture
