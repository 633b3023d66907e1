"""The measurements of an image's cells, read from its Parquet table a column or a row at a time."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from cellscale.cells.text import STATISTICS, Texts, centroid_decimals, decimal_texts, measured_channels
from cellscale.errors import ImageError
from cellscale.predict.heads import Compartment
from cellscale.storage.regular import open_regular
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, base_name, filesystem, local_path
from cellscale.viewer.request_errors import NotFoundError

__all__ = ["CellRow", "CellTable"]

_LABELS: dict[Compartment, str] = {"whole-cell": "Cell label", "nuclear": "Nucleus label"}
_INTENSITIES = tuple(f": {statistic}" for statistic in STATISTICS)
"""How the names of intensities end, in either dialect."""


@dataclass(frozen=True, slots=True)
class CellRow:
    """One object of the table."""

    object_id: str
    kind: str
    labels: dict[Compartment, int | None]
    """Its label in each mask; None where it has none."""

    centroid: tuple[float, float]
    """x and y, in the table's unit."""

    values: tuple[tuple[str, str], ...]
    """Name of each column and its value as the tab-separated table writes it."""


class CellTable:
    """A table of cells as cellscale writes it; any thread may ask.

    Parameters
    ----------
    location
        Path or URI of the Parquet file.

    Raises
    ------
    ImageError
        It is not such a table.
    StorageError
        It cannot be read.
    """

    def __init__(self, location: Location) -> None:
        self._name = base_name(location)
        self._lock = threading.Lock()  # a Parquet file is read by one thread at a time
        with ExitStack() as opened, explained("read", location):
            path = local_path(location)
            if path is not None:
                file = opened.enter_context(open_regular(path))
            else:
                fs, key = filesystem(location)
                file = opened.enter_context(fs.open(key, "rb"))
            try:
                self._file = pa_parquet.ParquetFile(file)
            except pa.ArrowException as error:
                raise ImageError(f"{self._name}: no Parquet table, or a damaged one ({error})") from error
            schema = self._file.schema_arrow
            missing = {"Object ID", "Object type", *_LABELS.values()} - set(schema.names)
            if missing:
                raise ImageError(f"{self._name}: not a table of cells: there is no column {sorted(missing)[0]!r}")
            numbers = [field.name for field in schema if pa.types.is_floating(field.type)]
            if len(numbers) < 2:
                raise ImageError(f"{self._name}: not a table of cells: there are no columns of centroids")
            self._centroid = numbers[0], numbers[1]
            self.measurements = tuple(numbers[2:])
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._opened.close()

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that were measured."""
        return measured_channels(self.measurements)

    @property
    def rows(self) -> int:
        """Number of objects."""
        return int(self._file.metadata.num_rows)

    @property
    def unit(self) -> str:
        """``µm`` or ``px``."""
        return str(self._centroid[0]).rpartition(" ")[2]

    def labels(self, compartment: Compartment) -> NDArray[np.uint32]:
        """Return each object's label in a mask, 0 for none."""
        return self._labels[compartment]

    def ids(self) -> list[str]:
        """Return the id of every object."""
        found: list[str] = self._read("Object ID").to_pylist()
        return found

    def column(self, number: int) -> NDArray[np.float32]:
        """Return a measurement of every object, NaN where it has none.

        Raises
        ------
        NotFoundError
            There is no such measurement.
        """
        if number >= len(self.measurements):
            raise NotFoundError(f"measurement {number} asked for; {len(self.measurements)} are there")
        values = self._read(self.measurements[number]).cast(pa.float32()).to_numpy(zero_copy_only=False)
        return np.asarray(values, np.float32)

    def centroids(self) -> NDArray[np.float64]:
        """Return x and y of every object in the table's unit, (objects, 2)."""
        return np.stack([self._read(name).to_numpy(zero_copy_only=False) for name in self._centroid], axis=1)

    def row(self, compartment: Compartment, label: int) -> CellRow | None:
        """Return the object that has a label in a mask; None if there is none."""
        found = np.flatnonzero(self.labels(compartment) == label)
        if label < 1 or not len(found):
            return None
        table = self._record(int(found[0]))
        values = {name: table.column(name)[0] for name in table.column_names}
        return CellRow(
            object_id=values["Object ID"].as_py(),
            kind=values["Object type"].as_py(),
            labels={compartment: values[column].as_py() for compartment, column in _LABELS.items()},
            centroid=(values[self._centroid[0]].as_py(), values[self._centroid[1]].as_py()),
            values=tuple(zip((*self._centroid, *self.measurements), self._texts(values), strict=True)),
        )

    @cached_property
    def _labels(self) -> dict[Compartment, NDArray[np.uint32]]:
        return {
            compartment: self._read(column).fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint32)
            for compartment, column in _LABELS.items()
        }

    def _read(self, column: str) -> pa.Array:
        with self._lock, self._explained():
            chunks = self._file.read(columns=[column], use_threads=False).column(column)
        return pa.concat_arrays(chunks.chunks) if chunks.num_chunks else pa.array([], chunks.type)

    def _record(self, row: int) -> pa.Table:
        with self._lock, self._explained():
            for group in range(self._file.num_row_groups):
                count = self._file.metadata.row_group(group).num_rows
                if row < count:
                    return self._file.read_row_group(group, use_threads=False).slice(row, 1)
                row -= count
        raise NotFoundError(f"row {row} asked for")

    def _texts(self, values: dict[str, Any]) -> list[str]:
        """Return the centroid and the measurements of one object as the tab-separated table writes them."""
        scalars = [values[name] for name in (*self._centroid, *self.measurements)]
        numbers = np.array([scalar.as_py() if scalar.is_valid else np.nan for scalar in scalars], np.float64)
        # QuPath writes NaN for an intensity of pixels that there are none of, and nothing for a shape.
        shapes = [not name.endswith(_INTENSITIES) for name in (*self._centroid, *self.measurements)]
        empty = np.isnan(numbers) & np.array(shapes)
        decimals = np.full(len(numbers), 4, np.uint8)
        decimals[:2] = centroid_decimals(numbers[:2])
        return _strings(decimal_texts(numbers, decimals, empty=empty, nan="NaN"))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with explained("read", self._name):
                yield
        except (pa.ArrowException, OSError) as error:
            raise ImageError(f"{self._name}: the table is damaged ({error})") from error


def _strings(texts: Texts) -> list[str]:
    data = texts.data.tobytes()
    bounds = texts.offsets.tolist()
    return [data[start:end].decode() for start, end in pairwise(bounds)]
