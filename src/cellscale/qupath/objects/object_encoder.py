"""Objects as contents of a serialization stream, many at a time."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cellscale.cells.object_batches import CellBatch
from cellscale.cells.text import Columns, Dialect, Rows
from cellscale.qupath.java.java_stream import JavaStream, Template
from cellscale.qupath.java.java_types import Encoded, JavaObject, Slot
from cellscale.qupath.java.ragged import Filling, fill
from cellscale.qupath.objects.batch_layout import ObjectBatch
from cellscale.qupath.objects.path_objects import CommonAttributes, array_list, path_object

__all__ = ["ObjectEncoder"]


class ObjectEncoder:
    """Turns batches of objects into contents of one stream.

    An object that brings something new into the stream (a class, a list of names) is written by itself; the others
    are filled into templates that refer to what is there. Both follow the one description in ``path_object``.

    Parameters
    ----------
    stream
        Where the contents go. It must have taken each one before the next is asked for.
    columns
        Measurements to be written.
    dialect
        Decides how outlines are written.
    """

    def __init__(self, stream: JavaStream, columns: Columns, dialect: Dialect) -> None:
        self._stream = stream
        self._columns = columns
        self._dialect = dialect
        self._seen: set[Hashable] = set()
        self._names: dict[bytes, JavaObject] = {}
        self._templates: dict[CommonAttributes, Template] = {}

    def encode(
        self, batch: CellBatch, classes: Sequence[JavaObject | None] | None = None
    ) -> Iterator[JavaObject | Encoded]:
        """Yield the objects of a batch, in order, with the classes that a person gave to them."""
        if not len(batch):
            return
        objects = ObjectBatch.of(batch, self._columns, self._dialect, classes)
        start = 0
        for row in self._rows_with_news(objects):
            yield from self._many(objects, np.arange(start, row))
            yield self._one(objects, row)
            start = row + 1
        yield from self._many(objects, np.arange(start, len(batch)))

    def single(self, batch: CellBatch, rows: Iterable[int]) -> Iterator[JavaObject]:
        """Yield some objects of a batch, each to be changed by the caller before it is written."""
        objects = ObjectBatch.of(batch, self._columns, self._dialect)
        for row in rows:
            yield self._one(objects, row)

    def _rows_with_news(self, objects: ObjectBatch) -> Iterator[int]:
        """Yield the objects that are the first of the stream to have a form, a set of names or a nucleus."""
        _, first = np.unique(objects.codes, return_index=True)
        for look, row in zip(objects.looks, first, strict=True):
            if not self._seen.issuperset(look):
                self._seen.update(look)
                yield int(row)

    def _one(self, objects: ObjectBatch, row: int) -> JavaObject:
        look = objects.looks[objects.codes[row]]
        columns = objects.columns(look, np.array([row]))
        return path_object(look, self._names_of(look), lambda name: Encoded(_first(columns, name), _handles(name)))

    def _many(self, objects: ObjectBatch, rows: NDArray[np.int64]) -> Iterator[Encoded]:
        """Yield consecutive objects in one piece."""
        if not len(rows):
            return
        codes = objects.codes[rows]
        fillings = []
        for code in np.unique(codes):
            look, places = objects.looks[code], np.flatnonzero(codes == code)
            fillings.append(Filling(self._template(look), objects.columns(look, rows[places]), places))
        yield fill(fillings, len(rows))

    def _template(self, look: CommonAttributes) -> Template:
        if look not in self._templates:
            model = path_object(look, self._names_of(look), lambda name: Slot(name, _handles(name)))
            self._templates[look] = self._stream.template(model)
        return self._templates[look]

    def _names_of(self, look: CommonAttributes) -> JavaObject:
        if look.absent not in self._names:
            names = self._columns.names
            absent = np.unpackbits(np.frombuffer(look.absent, dtype=np.uint8), count=len(names))
            present = (name for name, gone in zip(names, absent, strict=True) if not gone)
            self._names[look.absent] = array_list(tuple(present))
        return self._names[look.absent]


def _handles(part: str) -> int:
    """Return the handles that a varying part takes: the id is a string, the others are numbers."""
    return int(part == "id")


def _first(columns: Mapping[str, tuple[Rows, ...]], part: str) -> bytes:
    return b"".join(rows.row(0) for rows in columns[part])
