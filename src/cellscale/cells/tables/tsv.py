"""Write measurements as the tab-separated table that QuPath's own export makes."""

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import CellBatch
from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.shape_features import RoiForm, centroids, roi_codes, stored_centroids
from cellscale.cells.text.byte_rows import Rows, joined_rows
from cellscale.cells.text.decimal_rows import decimal_rows
from cellscale.cells.text.decimal_text import centroid_decimals, decimal_texts
from cellscale.cells.text.dialects import Dialect

__all__ = ["REGION", "TsvWriter", "table_centroids"]

REGION = "Region"
"""Column, after those of QuPath's own table, that names the region which holds an object's centroid."""


class TsvWriter:
    """Writes the table of one image, batch after batch.

    Parameters
    ----------
    stream
        Where the table goes, as UTF-8; the header is written at once. It is not closed.
    measurement
        Whose batches will be written.
    image_name
        Name of the image's entry in the project: its file name.
    dialect
        QuPath version whose export is followed.
    """

    def __init__(
        self, stream: BinaryIO, measurement: Measurement, *, image_name: str, dialect: Dialect = Dialect.V0_7
    ) -> None:
        self._stream = stream
        self._image = _quoted(image_name).encode()
        self._dialect = dialect
        self._scale = measurement.scale
        self._columns = measurement.columns_by_appearance(dialect)
        cores = [region.core_name for region in measurement.regions]
        with_cores = any(cores)
        names = _fixed_names(dialect, measurement.unit, cores=with_cores, empty=not len(measurement))
        self._regions = [b"\t", *(f"\t{name}".encode() for name in measurement.region_names)]
        parents = ["Root object (Image)", *(region.shown_name for region in measurement.regions)]
        before = [f"\t{_quoted(core)}" if with_cores else "" for core in ("", *cores)]
        self._parents = [
            f"{core}\t{_quoted(parent)}\t".encode() for core, parent in zip(before, parents, strict=True)
        ]
        last = (REGION,) if measurement.region_names else ()
        stream.write("\t".join(map(_quoted, (*names, *self._columns.names, *last))).encode() + b"\n")

    def write(self, batch: CellBatch) -> None:
        """Write the rows of a batch."""
        self.put(self.encode(batch))

    def put(self, rows: memoryview) -> None:
        """Write what :meth:`encode` returned, batch after batch."""
        self._stream.write(rows)

    def encode(self, batch: CellBatch) -> memoryview:
        """Return the rows of a batch as they are in the table; from any thread."""
        values, absent = batch.select(self._columns)
        count = len(batch)
        nan = self._dialect.conventions.undefined
        rows = joined_rows(
            count,
            self._image + b"\t",
            Rows.of_array(batch.ids),
            f"\t{batch.kind.value}\t\t".encode(),
            self._parents_of(batch),
            self._rois(batch.outlines),
            *self._centroids(batch.outlines),
            Rows.of_texts(decimal_rows(values, absent, nan=nan)),
            *([] if batch.regions is None else [Rows.chosen(self._regions, batch.regions + 1)]),
            b"\n",
        )
        return rows.data.data

    def _parents_of(self, batch: CellBatch) -> bytes | Rows:
        """Return what QuPath calls the objects that hold those of a batch, and before it their TMA cores, if any."""
        if batch.regions is None or len(self._parents) == 1:
            return self._parents[0]
        return Rows.chosen(self._parents, batch.regions + 1)

    def _rois(self, shapes: Shapes) -> Rows:
        """Return the names of the kinds of outlines."""
        if not self._dialect.conventions.shapes_by_kind:
            return Rows.repeated(RoiForm.GEOMETRY.value.encode(), len(shapes))
        return Rows.chosen([form.value.encode() for form in RoiForm], roi_codes(shapes))

    def _centroids(self, shapes: Shapes) -> tuple[bytes | Rows, ...]:
        """Return the centroids' x and y, with a tab before each."""
        values = (table_centroids(shapes, self._dialect) * np.array(self._scale)).ravel()
        texts = decimal_texts(values, centroid_decimals(values), empty=np.zeros(values.shape, dtype=np.bool_))
        rows = Rows.of_texts(texts)
        return b"\t", rows.every(2, 0), b"\t", rows.every(2, 1)


def table_centroids(shapes: Shapes, dialect: Dialect) -> NDArray[np.float64]:
    """Return the centroids in pixels as QuPath's tables have them, ``(n, 2)``.

    QuPath 0.5 keeps all of them on a grid of 0.01 pixels; 0.6 and later only those of outlines that are neither a
    rectangle nor a simple polygon. Both keep them in float32.
    """
    grid = stored_centroids(shapes)
    if dialect.conventions.exact_centroids:
        simple = roi_codes(shapes) != list(RoiForm).index(RoiForm.GEOMETRY)
        grid[simple] = centroids(shapes)[simple]
    return grid.astype(np.float64)


def _fixed_names(dialect: Dialect, unit: str, *, cores: bool, empty: bool) -> tuple[str, ...]:
    """Return the columns before the measurements, of which a table without objects lacks some."""
    if empty and dialect.conventions.short_empty_tables:
        return ("Image", "Object type", "Name")
    roi = () if empty else ("ROI",)
    described = ("Image", "Object ID", "Object type", "Name", "Classification")
    parents = ("TMA core", "Parent") if cores else ("Parent",)
    return (*described, *parents, *roi, f"Centroid X {unit}", f"Centroid Y {unit}")


def _quoted(text: str) -> str:
    """Put text in quotes if it would break the table."""
    return f'"{text}"' if any(character in text for character in "\t\r\n") else text
