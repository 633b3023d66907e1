"""The pixels of each object and the compartments they lie in, listed once for all channels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.compiled import kernel
from cellscale.regions import Region

__all__ = ["MARGIN", "Pixels", "cell_pixels", "whole_pixels"]

MARGIN = 2
"""Pixels around a cell's bounding box in which QuPath sees its nucleus."""

NUCLEUS, CYTOPLASM, MEMBRANE, CELL = (np.uint8(1 << bit) for bit in range(4))


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels of consecutive objects, each object's in raster order."""

    offsets: NDArray[np.int64]
    """Object ``i`` has the pixels ``offsets[i]`` to ``offsets[i + 1] - 1``, ``(n + 1,)``."""

    places: NDArray[np.int32]
    """Index of each pixel in the flattened window."""

    compartments: NDArray[np.uint8]
    """Bit ``i`` is set where the pixel belongs to compartment ``i``."""


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
    """List the pixels of objects that have only one compartment, whose bit is 0."""
    return Pixels(*_whole_pixels(window_labels, np.array((window.top, window.left)), labels, boxes))


@kernel
def _room(regions: NDArray[np.int64]) -> int:
    """Return the number of pixels in all regions."""
    room = 0
    for top, left, bottom, right in regions:
        room += (bottom - top) * (right - left)
    return room


@kernel
def _cell_pixels(
    cells: NDArray[np.uint32],
    nuclei: NDArray[np.uint32],
    origin: NDArray[np.int64],
    labels: NDArray[np.uint32],
    regions: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]:
    """Fill the arrays of :class:`Pixels`."""
    offsets = np.zeros(len(labels) + 1, dtype=np.int64)
    places = np.empty(_room(regions), dtype=np.int32)
    compartments = np.empty(len(places), dtype=np.uint8)
    count = 0
    for index in range(len(labels)):
        cell, nucleus = labels[index]
        top, left = regions[index, 0] - origin[0], regions[index, 1] - origin[1]
        bottom, right = regions[index, 2] - origin[0], regions[index, 3] - origin[1]
        for y in range(top, bottom):
            for x in range(left, right):
                bits = NUCLEUS if nucleus and nuclei[y, x] == nucleus else np.uint8(0)
                if cells[y, x] == cell:
                    bits |= CELL if bits else CELL | CYTOPLASM
                    if (
                        (y > top and cells[y - 1, x] != cell)
                        or (y < bottom - 1 and cells[y + 1, x] != cell)
                        or (x > left and cells[y, x - 1] != cell)
                        or (x < right - 1 and cells[y, x + 1] != cell)
                    ):
                        bits |= MEMBRANE
                if bits:
                    places[count], compartments[count] = y * cells.shape[1] + x, bits
                    count += 1
        offsets[index + 1] = count
    return offsets, places[:count].copy(), compartments[:count].copy()


@kernel
def _whole_pixels(
    window: NDArray[np.uint32], origin: NDArray[np.int64], labels: NDArray[np.uint32], boxes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]:
    """Fill the arrays of :class:`Pixels`."""
    offsets = np.zeros(len(labels) + 1, dtype=np.int64)
    places = np.empty(_room(boxes), dtype=np.int32)
    count = 0
    for index in range(len(labels)):
        for y in range(boxes[index, 0] - origin[0], boxes[index, 2] - origin[0]):
            for x in range(boxes[index, 1] - origin[1], boxes[index, 3] - origin[1]):
                if window[y, x] == labels[index]:
                    places[count] = y * window.shape[1] + x
                    count += 1
        offsets[index + 1] = count
    return offsets, places[:count].copy(), np.ones(count, dtype=np.uint8)
