"""Some of the objects of a batch."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.object_batches import CellBatch
from cellscale.cells.outline import Shapes

__all__ = ["selected"]


def selected(batch: CellBatch, rows: NDArray[np.int64]) -> CellBatch:
    """Return some objects of a batch, in the order of ``rows``, ``(n,)``."""
    nuclei = batch.nucleus_rows[rows]
    with_nucleus = nuclei >= 0
    return replace(
        batch,
        ids=batch.ids[rows],
        cell_labels=batch.cell_labels[rows],
        nucleus_labels=batch.nucleus_labels[rows],
        outlines=_selected_shapes(batch.outlines, rows),
        nuclei=_selected_shapes(batch.nuclei, nuclei[with_nucleus]),
        nucleus_rows=np.where(with_nucleus, np.cumsum(with_nucleus) - 1, -1),
        values=batch.values[rows],
        absent=batch.absent[rows],
        regions=None if batch.regions is None else batch.regions[rows],
    )


def _selected_shapes(shapes: Shapes, rows: NDArray[np.int64]) -> Shapes:
    polygons, polygon_offsets = _members(shapes.polygon_offsets, rows)
    rings, ring_offsets = _members(shapes.ring_offsets, polygons)
    vertices, vertex_offsets = _members(shapes.vertex_offsets, rings)
    return Shapes(
        shapes.labels[rows],
        shapes.boxes[rows],
        polygon_offsets,
        ring_offsets,
        vertex_offsets,
        shapes.vertices[vertices],
    )


def _members(offsets: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the members of some groups, and where each of these groups begins among them and the last one ends."""
    counts = offsets[rows + 1] - offsets[rows]
    starts = np.concatenate([np.zeros(1, dtype=np.int64), counts.cumsum()])
    members = np.arange(starts[-1]) + np.repeat(offsets[rows] - starts[:-1], counts)
    return members, starts
