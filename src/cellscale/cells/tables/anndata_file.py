"""Write measurements as an AnnData file (``.h5ad``); needs the extra ``cellscale[anndata]``."""

from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.tables.anndata_matrices import AnnDataMatrices
from cellscale.cells.tables.anndata_names import DRAWN_REGION, element_name, layer_names, obs_name, unstructured
from cellscale.cells.tables.tsv import table_centroids
from cellscale.cells.text.columns import Columns
from cellscale.cells.text.dialects import Dialect

__all__ = ["AnnDataWriter"]

_CATEGORIES = ("image", "region", "unit")


class AnnDataWriter:
    """Writes the measurements of one image, batch after batch; a context manager.

    ``X`` has the mean intensities of whole cells, objects by channels; there is a layer for each other compartment
    and statistic, like ``nucleus_median`` or ``cell_std`` (``median``, ``std`` for detections). ``obs`` has image,
    region, labels, centroids and shape features, indexed by object id, and ``obsm["spatial"]`` the centroids once
    more, where spatial tools look for them; ``obs["drawn_region"]`` is the region that a person drew around it, where
    the image has any. Lengths are in the unit that ``uns["unit"]`` names, and
    ``uns["qupath_names"]`` has QuPath's names of the shape features.

    Parameters
    ----------
    stream
        Where the file goes; open for reading too. It is not closed.
    measurement
        Whose batches will be written.
    """

    def __init__(self, stream: BinaryIO, measurement: Measurement) -> None:
        self._measurement = measurement
        self._layers = layer_names(measurement.kind)
        self._file = AnnDataMatrices(stream, self._layers, (len(measurement), len(measurement.channel_names)))
        self._shapes = _shapes(measurement)
        of_nuclei = measurement.kind is ObjectKind.DETECTION and not len(measurement.cells.table)
        self._labels = "nucleus_label" if of_nuclei else "cell_label"
        self._region = element_name(measurement.image_name, "nuclei" if of_nuclei else "cells")
        self._file.observe(self._observed(measurement.batch(0, 0)))

    def __enter__(self) -> "AnnDataWriter":
        """Lay out the matrices."""
        self._file.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what is known of objects and channels, and finish the file."""
        try:
            if error is None:
                self._finish()
        finally:
            self._file.close()

    def write(self, batch: CellBatch) -> None:
        """Write the objects of a batch."""
        self.put(self.encode(batch))

    def encode(self, batch: CellBatch) -> CellBatch:
        """Return a batch as it is: its file takes one thread at a time."""
        return batch

    def put(self, batch: CellBatch) -> None:
        """Write what :meth:`encode` returned, batch after batch."""
        channels = len(self._measurement.channel_names)
        intensities = batch.values[:, : channels * len(self._layers)].reshape(len(batch), channels, -1)
        for index, place in enumerate(self._layers):
            self._file.put(place, batch.start, slice(None), intensities[:, :, index])
        self._file.observe(self._observed(batch))

    def _observed(self, batch: CellBatch) -> dict[str, NDArray[Any]]:
        """Return the columns of ``obs``."""
        centroids = table_centroids(batch.outlines, Dialect.V0_7) * self._measurement.scale
        values, absent = batch.select(self._shapes)
        values[absent] = np.nan
        labels = {"cell_label": batch.cell_labels, "nucleus_label": batch.nucleus_labels}
        return {
            "object_id": batch.ids.astype("U36"),
            "image": np.full(len(batch), self._measurement.image_name, dtype=object),
            "region": np.full(len(batch), self._region, dtype=object),
            "unit": np.full(len(batch), self._measurement.unit, dtype=object),
            "label": labels[self._labels],
            **labels,
            "centroid_x": centroids[:, 0],
            "centroid_y": centroids[:, 1],
            **{obs_name(name): values[:, index] for index, name in enumerate(self._shapes.names)},
            **({} if batch.regions is None else {DRAWN_REGION: self._drawn(batch.regions)}),
        }

    def _finish(self) -> None:
        image = self._measurement.image_name
        uns = unstructured({image: self._measurement.unit}, self._shapes.names, [self._region])
        drawn = (DRAWN_REGION,) if self._measurement.region_names else ()
        self._file.finish(self._measurement.channel_names, (*_CATEGORIES, *drawn), {**uns, "image": image})

    def _drawn(self, regions: NDArray[np.int64]) -> NDArray[Any]:
        """Return the names of the regions that people drew, None for none."""
        return np.array([None, *self._measurement.region_names], dtype=object)[regions + 1]


def _shapes(measurement: Measurement) -> Columns:
    """Return the columns of a measurement that are shape features."""
    columns = measurement.columns(Dialect.V0_7)
    intensities = measurement.intensities.shape[1]
    chosen = np.flatnonzero(columns.sources >= intensities)
    return Columns(tuple(columns.names[index] for index in chosen), columns.sources[chosen])
