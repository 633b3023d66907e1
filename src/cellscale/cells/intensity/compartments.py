"""The pixels of each object and the compartments they lie in, listed once for all channels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.regions import Region

__all__ = ["MARGIN", "Pixels", "cell_pixels", "whole_pixels"]

MARGIN = 2
"""Pixels around a cell's bounding box in which QuPath sees its nucleus."""

NUCLEUS, CYTOPLASM, MEMBRANE, CELL = range(4)


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels of consecutive objects, listed by compartment, each list in raster order."""

    offsets: NDArray[np.int64]
    """Compartment ``j`` of object ``i`` has the pixels ``offsets[i, j]`` to ``offsets[i, j + 1] - 1``."""

    places: NDArray[np.int32]
    """Index of each pixel in the flattened window."""


def cell_pixels(
    cells: NDArray[np.uint32],
    nuclei: NDArray[np.uint32],
    window: Region,
    labels: NDArray[np.uint32],
    regions: NDArray[np.int64],
) -> Pixels:
    """List the pixels of cells in the four compartments nucleus, cytoplasm, membrane, cell.

    Parameters
    ----------
    cells, nuclei
        Label images of the window.
    window
        Where it lies in the image.
    labels
        Cell label and nucleus label of each object, 0 for no nucleus, ``(n, 2)``.
    regions
        Bounding box of each cell grown by ``MARGIN`` and clipped to the image, inside the window, ``(n, 4)``.

    Notes
    -----
    The nucleus is clipped to the object's region, but not to the cell. The cytoplasm is the cell without the
    nucleus. The membrane is a band of one pixel inside the cell: pixels of which a 4-neighbour that lies in the
    region does not belong to the cell.
    """
    return Pixels(*_cell_pixels(cells, nuclei, np.array((window.top, window.left)), labels, regions))


def whole_pixels(
    window_labels: NDArray[np.uint32], window: Region, labels: NDArray[np.uint32], boxes: NDArray[np.int64]
) -> Pixels:
    """List the pixels of objects that have only one compartment."""
    return Pixels(*_whole_pixels(window_labels, np.array((window.top, window.left)), labels, boxes))


@kernel
def _cell_pixels(
    cells: NDArray[np.uint32],
    nuclei: NDArray[np.uint32],
    origin: NDArray[np.int64],
    labels: NDArray[np.uint32],
    regions: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Fill the arrays of :class:`Pixels`."""
    # A pixel is in three lists at most: the cell's, the membrane's, and that of nucleus or cytoplasm. One look at
    # each pixel fills them all, in raster order, which is the order of the sums.
    largest, room = _sizes(regions)
    offsets = np.zeros((len(labels), 5), dtype=np.int64)
    places = np.empty(3 * room, dtype=np.int32)
    lists = np.empty((4, largest), dtype=np.int32)
    total = 0
    for index in range(len(labels)):
        cell, nucleus = labels[index]
        counts = [0, 0, 0, 0]
        top, left = regions[index, 0] - origin[0], regions[index, 1] - origin[1]
        bottom, right = regions[index, 2] - origin[0], regions[index, 3] - origin[1]
        for y in range(top, bottom):
            for x in range(left, right):
                place = y * cells.shape[1] + x
                in_nucleus = nucleus != 0 and nuclei[y, x] == nucleus
                if in_nucleus:
                    lists[NUCLEUS, counts[NUCLEUS]] = place
                    counts[NUCLEUS] += 1
                if cells[y, x] != cell:
                    continue
                lists[CELL, counts[CELL]] = place
                counts[CELL] += 1
                if not in_nucleus:
                    lists[CYTOPLASM, counts[CYTOPLASM]] = place
                    counts[CYTOPLASM] += 1
                if (
                    (y > top and cells[y - 1, x] != cell)
                    or (y < bottom - 1 and cells[y + 1, x] != cell)
                    or (x > left and cells[y, x - 1] != cell)
                    or (x < right - 1 and cells[y, x + 1] != cell)
                ):
                    lists[MEMBRANE, counts[MEMBRANE]] = place
                    counts[MEMBRANE] += 1
        for compartment in range(4):
            offsets[index, compartment] = total
            for pixel in range(counts[compartment]):
                places[total + pixel] = lists[compartment, pixel]
            total += counts[compartment]
        offsets[index, 4] = total
    return offsets, places[:total]


@kernel
def _whole_pixels(
    window: NDArray[np.uint32], origin: NDArray[np.int64], labels: NDArray[np.uint32], boxes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Fill the arrays of :class:`Pixels`."""
    offsets = np.zeros((len(labels), 2), dtype=np.int64)
    places = np.empty(_sizes(boxes)[1], dtype=np.int32)
    total = 0
    for index in range(len(labels)):
        offsets[index, 0] = total
        for y in range(boxes[index, 0] - origin[0], boxes[index, 2] - origin[0]):
            for x in range(boxes[index, 1] - origin[1], boxes[index, 3] - origin[1]):
                if window[y, x] == labels[index]:
                    places[total] = y * window.shape[1] + x
                    total += 1
        offsets[index, 1] = total
    return offsets, places[:total]


@kernel
def _sizes(regions: NDArray[np.int64]) -> tuple[int, int]:
    """Return the number of pixels in the largest region and in all of them."""
    largest, total = 0, 0
    for top, left, bottom, right in regions:
        size = (bottom - top) * (right - left)
        largest, total = max(largest, size), total + size
    return largest, total
