"""Write measurements as the tab-separated table that QuPath's own export makes."""

from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import CellBatch
from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.shape_features import RoiForm, centroids, roi_codes, stored_centroids
from cellscale.cells.text.arrow import ascii_column, constant, named, text_columns
from cellscale.cells.text.columns import Dialect
from cellscale.cells.text.decimal_text import centroid_decimals, decimal_texts

__all__ = ["TsvWriter", "table_centroids"]

IMAGE = "\0"
"""Stands for the image's name at first: Arrow refuses characters in it that QuPath lets through."""

OPTIONS = pa_csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")


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
        names = _fixed_names(dialect, measurement.unit, empty=not len(measurement))
        stream.write("\t".join(map(_quoted, (*names, *self._columns.names))).encode() + b"\n")

    def write(self, batch: CellBatch) -> None:
        """Write the rows of a batch."""
        self.put(self.encode(batch))

    def put(self, rows: bytes) -> None:
        """Write what :meth:`encode` returned, batch after batch."""
        self._stream.write(rows)

    def encode(self, batch: CellBatch) -> bytes:
        """Return the rows of a batch as they are in the table; from any thread."""
        values, absent = batch.select(self._columns)
        count = len(batch)
        numbers = decimal_texts(
            values.T.astype(np.float64).ravel(),
            np.full(values.size, 4, dtype=np.uint8),
            empty=absent.T.ravel(),
            nan="NaN" if self._dialect is Dialect.V0_7 else "",
        )
        blank = constant("", count)
        columns = [
            constant(IMAGE, count),
            ascii_column(batch.ids),
            constant(batch.kind.value, count),
            blank,
            blank,
            constant("Root object (Image)", count),
            self._rois(batch.outlines),
            *self._centroids(batch.outlines),
            *text_columns(numbers, count),
        ]
        rows = pa.BufferOutputStream()
        table = pa.Table.from_arrays(columns, names=list(map(str, range(len(columns)))))
        pa_csv.write_csv(table, rows, OPTIONS)
        return bytes(rows.getvalue().to_pybytes().replace(IMAGE.encode(), self._image))

    def _rois(self, shapes: Shapes) -> pa.Array:
        """Return the column that names the kind of outline."""
        if self._dialect is Dialect.V0_5:
            return constant(RoiForm.GEOMETRY.value, len(shapes))
        return named([form.value for form in RoiForm], roi_codes(shapes))

    def _centroids(self, shapes: Shapes) -> list[pa.Array]:
        """Return the columns of the centroid's x and y."""
        values = (table_centroids(shapes, self._dialect) * np.array(self._scale)).T.ravel()
        texts = decimal_texts(values, centroid_decimals(values), empty=np.zeros(values.shape, dtype=np.bool_))
        return text_columns(texts, len(shapes))


def table_centroids(shapes: Shapes, dialect: Dialect) -> NDArray[np.float64]:
    """Return the centroids in pixels as QuPath's tables have them, ``(n, 2)``.

    QuPath 0.5 keeps all of them on a grid of 0.01 pixels; 0.6 and later only those of outlines that are neither a
    rectangle nor a simple polygon. Both keep them in float32.
    """
    grid = stored_centroids(shapes)
    if dialect is Dialect.V0_7:
        simple = roi_codes(shapes) != list(RoiForm).index(RoiForm.GEOMETRY)
        grid[simple] = centroids(shapes)[simple]
    return grid.astype(np.float64)


def _fixed_names(dialect: Dialect, unit: str, *, empty: bool) -> tuple[str, ...]:
    """Return the columns before the measurements, of which a table without objects lacks some."""
    if empty and dialect is Dialect.V0_5:
        return ("Image", "Object type", "Name")
    roi = () if empty else ("ROI",)
    described = ("Image", "Object ID", "Object type", "Name", "Classification", "Parent")
    return (*described, *roi, f"Centroid X {unit}", f"Centroid Y {unit}")


def _quoted(text: str) -> str:
    """Put text in quotes if it would break the table."""
    return f'"{text}"' if any(character in text for character in "\t\r\n") else text
