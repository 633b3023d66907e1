"""Write objects and outlines as GeoJSON, the way QuPath reads it."""

from types import TracebackType
from typing import BinaryIO

import imagecodecs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellscale.cells.measurement import Measurement
from cellscale.cells.object_batches import CellBatch, ObjectKind
from cellscale.cells.outline.outlines import Outlines
from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.text.arrow import ascii_column, constant, number_column, text_columns
from cellscale.cells.text.columns import Dialect
from cellscale.cells.text.outline_json import geometry_texts, measurement_texts

__all__ = ["GeoJsonWriter", "write_shapes"]

SEPARATOR = ",\n"

TYPES = {ObjectKind.CELL: "cell", ObjectKind.DETECTION: "detection"}


class GeoJsonWriter:
    """Writes the objects of one image as a gzipped FeatureCollection, batch after batch; a context manager.

    QuPath imports the file by drag and drop, with measurements and nuclei. Measurements that are NaN or infinite, for
    which JSON has no number, are left out.

    Parameters
    ----------
    stream
        Where the collection goes. It is not closed.
    measurement
        Whose batches will be written.
    dialect
        QuPath version whose names are used.
    """

    def __init__(self, stream: BinaryIO, measurement: Measurement, *, dialect: Dialect = Dialect.V0_7) -> None:
        self._stream = stream
        self._columns = measurement.columns(dialect)

    def __enter__(self) -> "GeoJsonWriter":
        """Begin the collection."""
        self.put(_member(b'{"type":"FeatureCollection","features":[\n'))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the collection."""
        self.put(_member(b"\n]}\n"))

    def write(self, batch: CellBatch) -> None:
        """Write the objects of a batch."""
        self.put(self.encode(batch))

    def put(self, features: bytes) -> None:
        """Write what :meth:`encode` returned, batch after batch."""
        self._stream.write(features)

    def encode(self, batch: CellBatch) -> bytes:
        """Return the objects of a batch as they are in the file; from any thread."""
        measurements = measurement_texts(self._columns.names, *batch.select(self._columns))
        rows = number_column(batch.nucleus_rows, batch.nucleus_rows < 0)
        nuclei = _joined(',"nucleusGeometry":', _geometries(batch.nuclei).take(rows))
        features = _joined(
            SEPARATOR,
            '{"type":"Feature","id":"',
            ascii_column(batch.ids),
            '","geometry":',
            _geometries(batch.outlines),
            pc.coalesce(nuclei, constant("", len(batch))),
            f',"properties":{{"objectType":"{TYPES[batch.kind]}","measurements":{{',
            text_columns(measurements, len(batch))[0],
            "}}}",
        )
        return _member(bytes(_bytes(features)[len(SEPARATOR) if batch.start == 0 else 0 :]))


def write_shapes(stream: BinaryIO, measurement: Measurement, outlines: Outlines, *, size: int = 4096) -> None:
    """Write the outlines of a mask as GeoJSON Features, one a line, in ascending label order.

    Parameters
    ----------
    stream
        Where they go, as UTF-8. It is not closed.
    measurement
        The objects of the image, whose QuPath ids become those of the features.
    outlines
        ``measurement.cells`` or ``measurement.nuclei``: the outlines of all labels, also of nuclei that belong to no
        object; those have no id.
    size
        Outlines in memory at a time.
    """
    objects = measurement.objects_of(outlines)
    for start in range(0, len(objects), size):
        rows = np.arange(start, min(start + size, len(objects)))
        known = objects[rows] >= 0
        ids = np.zeros(len(rows), dtype="S36")
        ids[known] = measurement.ids(objects[rows][known])
        member = pc.if_else(
            number_column(known.astype(np.uint8)).cast(pa.bool_()),
            _joined('"id":"', ascii_column(ids), '",'),
            constant("", len(rows)),
        )
        features = _joined(
            '{"type":"Feature",',
            member,
            '"geometry":',
            _geometries(outlines.shapes(rows)),
            ',"properties":{"label":',
            number_column(outlines.table.labels[rows]).cast(pa.string()),
            "}}\n",
        )
        stream.write(_bytes(features))


def _member(text: bytes) -> bytes:
    """Return a gzip member: members one after another are one gzip file."""
    return bytes(imagecodecs.gzip_encode(text, level=1))


def _geometries(shapes: Shapes) -> pa.Array:
    """Return outlines as a column of GeoJSON geometries."""
    return text_columns(geometry_texts(shapes), len(shapes))[0]


def _joined(*columns: pa.Array | str) -> pa.Array:
    """Join columns and constants row by row; null where one of them is."""
    count = next(len(column) for column in columns if not isinstance(column, str))
    parts = [constant(column, count) if isinstance(column, str) else column for column in columns]
    return pc.binary_join_element_wise(*parts, constant("", count))


def _bytes(column: pa.Array) -> memoryview:
    """Return all texts of a column as one."""
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    return memoryview(data)[int(bounds[0]) : int(bounds[-1])]
