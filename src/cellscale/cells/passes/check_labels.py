"""Masks whose labels are not one cell each, told from the boxes of the labels before anything is measured.

Every object is measured in a window that holds it whole. A mask that was saved with too few bits, or labelled tile by
tile, has thousands of objects as wide as the image, which would take days and mean nothing. Masks of cells may have
cells in several pieces: close together, or only some of all.
"""

from dataclasses import dataclass

import numpy as np

from cellscale.cells.intensity.compartments import MARGIN
from cellscale.cells.label_table import LabelTable
from cellscale.cells.scratch_arrays import Scratch
from cellscale.errors import MaskError

__all__ = ["check_places", "check_sizes"]

LONG, FILLED = 1024, 0.001
"""A label counts as scattered if its box is longer than this and it fills less than this share of the box."""

FEW, SHARE = 10, 0.1
"""Scattered labels that any mask may have, and their share of all labels."""

IMAGES, PIXELS = 50, 20e9
"""How often the boxes of long labels may cover the image, and their pixels: some half an hour of measuring."""

OVERFLOW, OVERFLOWN, LOOSE = 65_535, 3, 0.05
"""Highest number of 16 bits: where it is a label, and so many labels fill less than this of long boxes, numbers began
again."""

PIXEL_BYTES, OTHER_BYTES = 60, 400_000_000
"""Memory of a pixel of a box, for masks, outlines, lists of pixels and some channels; and of all else."""

LARGEST = 2**31 - 1
"""Pixels of a window that their 32-bit indices can tell apart."""


@dataclass(slots=True)
class _Long:
    """The labels that have long boxes."""

    far: int = 0
    """Those that are scattered."""

    loose: int = 0
    pixels: float = 0.0
    """Of the boxes together."""

    last: bool = False
    """The highest label is one."""


def check_places(table: LabelTable, name: str, shape: tuple[int, int], scratch: Scratch) -> None:
    """Check that not many labels appear in places far apart.

    Parameters
    ----------
    table
        The labels of a mask.
    name
        What to call the mask in messages.
    shape
        Rows and columns of the image.
    scratch
        Where the table is kept.

    Raises
    ------
    MaskError
        More than a tenth of the labels do; or so many that measuring would take fifty times as long; or any where the
        highest label is 65,535.
    """
    long = _Long()
    for part in scratch.parts(len(table)):
        boxes = np.asarray(table.boxes[part])
        sides = boxes[:, 2:] - boxes[:, :2]
        is_long = sides.max(axis=1) > LONG
        areas = sides.prod(axis=1)
        filled = table.pixels[part] / areas
        long.far += int(np.count_nonzero(is_long & (filled < FILLED)))
        long.loose += int(np.count_nonzero(is_long & (filled < LOOSE)))
        long.pixels += float(areas[is_long].sum())
        long.last = bool(is_long[-1])
    if not _is_of_cells(long, table, shape):
        found = max(long.far, long.loose, 1)
        raise MaskError(
            f"{found:,} of the {len(table):,} labels of the {name} mask appear in places far "
            "apart, but one label should be one cell. Was the mask saved as uint16 with more than 65,535 cells, so "
            "that the numbers began again, or was it labelled tile by tile? Make it again with a different number "
            "for each cell, as int32 or uint32; or use --relabel, which gives each connected part its own number"
        )


def _is_of_cells(long: _Long, table: LabelTable, shape: tuple[int, int]) -> bool:
    """Return whether labels are seldom enough scattered to be cells in several pieces."""
    if long.far > max(FEW, SHARE * len(table)):
        return False
    if len(table) and table.labels[-1] == OVERFLOW and (long.loose >= OVERFLOWN or long.last):
        return False
    return long.pixels <= max(PIXELS, IMAGES * shape[0] * shape[1])


def check_sizes(table: LabelTable, name: str, scratch: Scratch, memory: int | None) -> None:
    """Check that each label can be measured in one window.

    Parameters
    ----------
    table
        The labels of a mask.
    name
        What to call the mask in messages.
    scratch
        Where the table is kept.
    memory
        Bytes that measuring may take; None for as many as there are.

    Raises
    ------
    MaskError
        The box of a label is too large.
    """
    limit = LARGEST if memory is None else min((memory - OTHER_BYTES) // PIXEL_BYTES, LARGEST)
    for part in scratch.parts(len(table)):
        sides = np.asarray(table.boxes[part, 2:]) - table.boxes[part, :2] + 2 * MARGIN
        areas = sides.prod(axis=1)
        row = int(areas.argmax())
        if areas[row] <= limit:
            continue
        height, width = (int(side) - 2 * MARGIN for side in sides[row])
        is_filled = table.pixels[part][row] > areas[row] / 4
        needed = (int(areas[row]) * PIXEL_BYTES + OTHER_BYTES) / 1e9
        label = int(table.labels[part][row])
        raise MaskError(
            f"label {label} of the {name} mask takes {height:,} x {width:,} pixels (rows x columns): "
            + ("is it the background, which has the label 0? " if is_filled else "is it several cells far apart? ")
            + (
                f"If it is an object, measuring it needs {needed:.1f} GB (--max_memory)"
                if areas[row] <= LARGEST
                else "Objects of more than 2^31 pixels cannot be measured"
            )
        )
