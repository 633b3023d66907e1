"""Write measurements as a Parquet table."""

from types import TracebackType
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import CellBatch
from cellscale.cells.tables.tsv import REGION, table_centroids
from cellscale.cells.text.arrow import ascii_column, constant, number_column
from cellscale.cells.text.dialects import Dialect

__all__ = ["ParquetWriter"]

ROWS_PER_GROUP = 16_384
"""Some 15 MB with 8 channels; they wait in memory until all of them are there."""


class ParquetWriter:
    """Writes the table of one image, batch after batch; a context manager.

    The columns are ``Image``, ``Object ID``, ``Object type``, ``Cell label``, ``Nucleus label`` (null where there is
    none), the centroid as float64, ``Region`` where the image has regions (null where an object is in none), and the
    measurements as float32. What an object does not have is null: a shape feature, and a statistic that is no number,
    as those of the nucleus in a cell without one.

    Parameters
    ----------
    stream
        Where the table goes. It is not closed.
    measurement
        Whose batches will be written.
    image_name
        Name of the image's entry in the project: its file name.
    dialect
        QuPath version whose names are used.
    """

    def __init__(
        self, stream: BinaryIO, measurement: Measurement, *, image_name: str, dialect: Dialect = Dialect.V0_7
    ) -> None:
        self._image = image_name
        self._dialect = dialect
        self._scale = np.array(measurement.scale)
        self._columns = measurement.columns(dialect)
        self._regions = measurement.region_names
        self._schema = _schema(measurement.unit, self._columns.names, regions=len(self._regions) > 0)
        self._writer = pa_parquet.ParquetWriter(
            stream,
            self._schema,
            compression="zstd",
            # Dictionaries of numbers take half of the time, and make the file larger.
            use_dictionary=["Image", "Object type"],
            use_byte_stream_split=list(self._columns.names),
        )
        self._waiting: list[pa.RecordBatch] = []

    def __enter__(self) -> "ParquetWriter":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the table."""
        self._flush()
        self._writer.close()

    def write(self, batch: CellBatch) -> None:
        """Write the rows of a batch."""
        self.put(self.encode(batch))

    def put(self, rows: pa.RecordBatch) -> None:
        """Write what :meth:`encode` returned, batch after batch."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= ROWS_PER_GROUP:
            self._flush()

    def encode(self, batch: CellBatch) -> pa.RecordBatch:
        """Return the rows of a batch; from any thread."""
        values, absent = batch.select(self._columns)
        centroids = table_centroids(batch.outlines, self._dialect) * self._scale
        columns = [
            constant(self._image, len(batch)),
            ascii_column(batch.ids),
            constant(batch.kind.value, len(batch)),
            _labels(batch.cell_labels),
            _labels(batch.nucleus_labels),
            *(number_column(centroids[:, axis]) for axis in (0, 1)),
            *([] if batch.regions is None else [self._region_column(batch.regions)]),
            # One NaN would make NaN of every average in a database; nulls are passed over.
            *(number_column(column, gap | np.isnan(column)) for column, gap in zip(values.T, absent.T, strict=True)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _region_column(self, regions: NDArray[np.int64]) -> pa.Array:
        """Return the names of regions, null for none."""
        names = pa.array(self._regions, pa.string())  # here, because pyarrow loads pandas to look at a list
        return names.take(pa.array(regions, mask=regions < 0))

    def _flush(self) -> None:
        """Write the waiting batches as one row group."""
        if self._waiting:
            table = pa.Table.from_batches(self._waiting)
            self._writer.write_table(table, row_group_size=max(len(table), 1))
            self._waiting = []


def _schema(unit: str, names: tuple[str, ...], *, regions: bool) -> pa.Schema:
    """Return names and types of the columns."""
    fixed = {
        "Image": pa.string(),
        "Object ID": pa.string(),
        "Object type": pa.string(),
        "Cell label": pa.uint32(),
        "Nucleus label": pa.uint32(),
        f"Centroid X {unit}": pa.float64(),
        f"Centroid Y {unit}": pa.float64(),
    }
    if regions:
        fixed[REGION] = pa.string()
    return pa.schema([*fixed.items(), *((name, pa.float32()) for name in names)])


def _labels(labels: NDArray[np.int64]) -> pa.Array:
    """Return labels as a column, null for none."""
    return number_column(labels.astype(np.uint32), labels == 0)
