"""Labels that lie in places far apart, and are measured as one cell all the same."""

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.measurement import Measurement
from cellscale.cells.outline.outlines import Outlines
from cellscale.cells.scratch_arrays import Scratch

__all__ = ["CURE", "is_scattered", "scattered_texts"]

LOOSE, WIDE = 0.05, 5.0
"""Pixels that fill less than this share of their box, which is so many times as long as a square of them is wide, lie
in places far apart."""

CURE = "--relabel gives each connected part a number of its own (cells that touch and share one become one)"
"""What a user can do about it."""


def is_scattered(pixels: NDArray[np.int64], boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which labels, of so many pixels in such boxes ``(n, 4)``, lie in far places, or are threads."""
    sides = boxes[:, 2:] - boxes[:, :2]
    is_loose = pixels < LOOSE * sides.prod(axis=1)
    scattered: NDArray[np.bool_] = is_loose & (sides.max(axis=1) > WIDE * np.sqrt(pixels))
    return scattered


def scattered_texts(measurement: Measurement) -> tuple[str, ...]:
    """Return what the user should know of labels that are measured as one cell and lie in places far apart."""
    outlines = (("whole-cell", measurement.cells), ("nucleus", measurement.nuclei))
    texts = (_scattered_text(found, name, measurement.scratch) for name, found in outlines)
    return tuple(text for text in texts if text)


def _scattered_text(outlines: Outlines, name: str, scratch: Scratch) -> str:
    table = outlines.table
    count, first = 0, ""
    for part in scratch.parts(len(table)):
        pixels, boxes = np.asarray(table.pixels[part]), np.asarray(table.boxes[part])
        rows = np.flatnonzero(is_scattered(pixels, boxes) & (outlines.parts[part] > 1))
        if len(rows) and not count:
            height, width = boxes[rows[0], 2:] - boxes[rows[0], :2]
            first = f"label {table.labels[part][rows[0]]}: {height:,} x {width:,} pixels (rows x columns)"
        count += len(rows)
    if not count:
        return ""
    return (
        f"{count:,} of the {len(table):,} labels of the {name} mask lie in several places far apart ({first}), and "
        f"each is measured as one cell; where they are different cells, {CURE}"
    )
