"""Outlines and shape features of all objects of a mask, kept until the objects are written."""

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.label_table import LabelTable
from cellscale.cells.outline.packed_outlines import Records, shapes_of
from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.scratch_arrays import Scratch
from cellscale.cells.shape_features import FEATURES

__all__ = ["Outlines"]


class Outlines:
    """The outlines of a mask's objects; rows are those of its :class:`LabelTable`.

    Parameters
    ----------
    table
        The objects.
    scratch
        Where the outlines are kept.
    """

    def __init__(self, table: LabelTable, scratch: Scratch) -> None:
        self.table = table
        self.features: NDArray[np.float64] = scratch.zeros((len(table), FEATURES), np.float64)
        self.parts: NDArray[np.int64] = scratch.zeros((len(table),), np.int64)
        self.keys: NDArray[np.uint64] = scratch.zeros((len(table), 2), np.uint64)
        self._spool = scratch.records(len(table))

    def add(
        self,
        rows: NDArray[np.int64],
        records: Records,
        parts: NDArray[np.int64],
        features: NDArray[np.float64],
        keys: NDArray[np.uint64],
    ) -> None:
        """Keep the outlines of some objects, the number of their 4-connected parts, shape features and identities."""
        self._spool.write(rows, records)
        self.parts[rows] = parts
        self.features[rows] = features
        self.keys[rows] = keys

    def shapes(self, rows: NDArray[np.int64]) -> Shapes:
        """Return the outlines of some objects, in their order."""
        return shapes_of(self._spool.read(rows), self.table.labels[rows], self.table.boxes[rows])
