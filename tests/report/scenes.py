"""Masks whose objects a test knows."""

import numpy as np

from cellscale.regions import blocks
from cellscale.report.cells_and_nuclei import take_census

__all__ = ["census_of", "squares"]


def squares(shape, corners, side):
    """Return a mask with a square of ``side`` at each corner (row, column), labelled from 1."""
    labels = np.zeros(shape, np.int32)
    for label, (top, left) in enumerate(corners, 1):
        labels[top : top + side, left : left + side] = label
    return labels


def census_of(cells, nuclei, pool, scratch, step=64):
    """Return the census of masks in memory; either may be None."""
    readers = [None if mask is None else lambda region, mask=mask: mask[region.slices] for mask in (cells, nuclei)]
    shape = (cells if cells is not None else nuclei).shape
    return take_census(*readers, blocks(shape, (step, step)), pool, scratch)
