"""What the measurement hands to the writers: objects in their final order, a batch at a time."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.text.columns import Columns

__all__ = ["CellBatch", "ObjectKind"]


class ObjectKind(Enum):
    """What QuPath calls the objects of an image; the value is its name in tables."""

    CELL = "Cell"
    """From a whole-cell mask and a nucleus mask."""

    DETECTION = "Detection"
    """From one mask alone."""


@dataclass(frozen=True, slots=True)
class CellBatch:
    """Consecutive objects of an image, in the order of the table and of the QuPath project."""

    start: int
    """Index of the first object among all of the image."""

    kind: ObjectKind

    ids: NDArray[np.bytes_]
    """QuPath object ids, UUIDs in their 36-character ASCII form, ``(n,)``."""

    cell_labels: NDArray[np.int64]
    """Label in the whole-cell mask, 0 where the objects come from a nucleus mask alone, ``(n,)``."""

    nucleus_labels: NDArray[np.int64]
    """Label in the nucleus mask, 0 for an object without nucleus, ``(n,)``."""

    outlines: Shapes
    """Outline of each object: of the cell, or of the nucleus where there is no whole-cell mask."""

    nuclei: Shapes
    """Outlines of the nuclei of those cells that have one, in the order of the cells; empty for detections."""

    nucleus_rows: NDArray[np.int64]
    """Row in ``nuclei`` of each object's nucleus, or -1, ``(n,)``."""

    values: NDArray[np.float32]
    """Every measurement, in the order of measuring, ``(n, m)``; :meth:`select` gives a dialect's columns."""

    absent: NDArray[np.bool_]
    """Where an object does not have the measurement at all (a NaN value is a measurement), ``(n, m)``."""

    regions: NDArray[np.int64] | None = None
    """Index of the region of the image that holds each object's centroid, -1 for none, ``(n,)``; None without any."""

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.ids)

    def select(self, columns: Columns) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the values of the named columns and where they are absent, both ``(n, len(columns.names))``."""
        return self.values[:, columns.sources], self.absent[:, columns.sources]
