"""Outlines and shape features of all objects of a mask, kept until the objects are written."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.geometry import FEATURES
from cellscale.cells.records import Records, shapes_of
from cellscale.cells.shapes import Shapes
from cellscale.cells.spool import RecordSpool
from cellscale.cells.survey import LabelTable

__all__ = ["Outlines"]


class Outlines:
    """The outlines of a mask's objects; rows are those of its :class:`LabelTable`.

    Parameters
    ----------
    table
        The objects.
    folder
        Where the outlines are kept; None for the system's folder of temporary files.
    """

    def __init__(self, table: LabelTable, folder: Path | None) -> None:
        self.table = table
        self.features: NDArray[np.float64] = np.zeros((len(table), FEATURES))
        self.parts: NDArray[np.int64] = np.zeros(len(table), dtype=np.int64)
        self._spool = RecordSpool(len(table), folder)

    def add(
        self, rows: NDArray[np.int64], records: Records, parts: NDArray[np.int64], features: NDArray[np.float64]
    ) -> None:
        """Keep the outlines, the number of 4-connected parts and the shape features of some objects."""
        self._spool.write(rows, records)
        self.parts[rows] = parts
        self.features[rows] = features

    def shapes(self, rows: NDArray[np.int64]) -> Shapes:
        """Return the outlines of some objects, in their order."""
        return shapes_of(self._spool.read(rows), self.table.labels[rows], self.table.boxes[rows])

    def close(self) -> None:
        """Delete what is kept."""
        self._spool.close()
