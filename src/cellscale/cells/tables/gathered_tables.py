"""The Parquet tables of many images as one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from cellscale.cells.object_batches import ObjectKind
from cellscale.cells.tables.tsv import REGION
from cellscale.cells.text.columns import Columns, cell_columns, detection_columns, measured_channels
from cellscale.cells.text.dialects import Dialect
from cellscale.errors import ImageError

__all__ = ["SAMPLE", "ImageTable", "write_gathered"]

SAMPLE = "Sample"
"""Column that the gathered table has beside those of the images' own: what an image's outputs are named after."""

_FIRST = ("Image", "Object ID", "Object type", "Cell label", "Nucleus label")
_CENTROIDS = ("Centroid X ", "Centroid Y ")


@dataclass(frozen=True, slots=True)
class ImageTable:
    """The table of one image's cells, as `cellscale.cells.tables.parquet` writes it.

    Parameters
    ----------
    sample
        What the image's outputs are named after.
    file
        The table.

    Raises
    ------
    ImageError
        It is no such table.
    """

    sample: str
    file: pa_parquet.ParquetFile

    def __post_init__(self) -> None:
        missing = [name for name in _FIRST if name not in self.schema.names]
        if missing or len(self.centroids) != 2:
            raise ImageError(f"not a table of cells: there is no column {(missing or ['of centroids'])[0]!r}")

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self.file.schema_arrow

    @property
    def centroids(self) -> list[str]:
        """Names of the columns of x and y."""
        return [name for name in self.schema.names if name.startswith(_CENTROIDS)]

    @property
    def unit(self) -> str:
        """``µm`` or ``px``."""
        return str(self.centroids[0]).rpartition(" ")[2]

    @property
    def measurements(self) -> list[str]:
        """Names of the measurements."""
        other = {*_FIRST, *self.centroids, REGION}
        return [name for name in self.schema.names if name not in other]

    def __len__(self) -> int:
        """Return the number of objects."""
        return int(self.file.metadata.num_rows)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, some ten thousand at a time."""
        for group in range(self.file.num_row_groups):
            yield from self.file.read_row_group(group, use_threads=False).combine_chunks().to_batches()

    def understood(self) -> tuple[ObjectKind, tuple[str, ...], Columns]:
        """Return kind of the objects, names of the channels, and where each measurement is in the order of measuring.

        Raises
        ------
        ImageError
            The measurements are others than cellscale's.
        """
        names = set(self.measurements)
        channels = measured_channels(self.measurements)
        for dialect in Dialect:
            found = cell_columns(channels, self.unit, dialect)
            if set(found.names) == names:
                return ObjectKind.CELL, channels, found
        found = detection_columns(channels, self.unit)
        if set(found.names) != names:
            raise ImageError("its measurements are not those of cells in one of the forms that cellscale writes")
        return ObjectKind.DETECTION, channels, found


def write_gathered(stream: BinaryIO, tables: Sequence[ImageTable]) -> None:
    """Write one table of the rows of several; a measurement that an image does not have is null.

    Parameters
    ----------
    stream
        Where the table goes. It is not closed.
    tables
        Those of the images, in the order of the rows.
    """
    schema = _joined([table.schema for table in tables])
    numbers = [field.name for field in schema if pa.types.is_float32(field.type)]
    with pa_parquet.ParquetWriter(
        stream,
        schema,
        compression="zstd",
        use_dictionary=[SAMPLE, "Image", "Object type", REGION],
        use_byte_stream_split=numbers,
    ) as writer:
        for table in tables:
            for batch in table.batches():
                columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                writer.write_batch(_completed(columns, table.sample, len(batch), schema))


def _completed(columns: Mapping[str, pa.Array], sample: str, count: int, schema: pa.Schema) -> pa.RecordBatch:
    given = {SAMPLE: pa.repeat(sample, count), **columns}
    arrays = [given[field.name] if field.name in given else pa.nulls(count, field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _joined(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return the columns of all tables: what tells objects, centroids, region, measurements, as they first appear."""
    fields = {field.name: field.type for schema in schemas for field in schema}
    ranks = [
        0 if name in _FIRST else 1 if name.startswith(_CENTROIDS) else 2 if name == REGION else 3 for name in fields
    ]
    names = [list(fields)[index] for index in np.argsort(ranks, kind="stable")]
    return pa.schema([(SAMPLE, pa.string()), *((name, fields[name]) for name in names)])
