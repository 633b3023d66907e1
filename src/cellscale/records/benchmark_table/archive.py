"""Benchmark records as Parquet files in a folder: each file is written once, whole, and never changed."""

import hashlib
import io
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from cellscale.errors import StorageError
from cellscale.parquet_bytes import read_parquet_bytes
from cellscale.records.benchmark_table.row import Row, validated
from cellscale.records.benchmark_table.schema import COLUMNS, Kind
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import Location, base_name, join, listing, make_folder, read_bytes

__all__ = ["RecordFile", "add_records", "read_folder", "record_files"]

_LOG = logging.getLogger(__name__)

_TYPES: dict[Kind, pa.DataType] = {
    "STRING": pa.string(),
    "FLOAT": pa.float64(),
    "INTEGER": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DATETIME": pa.timestamp("ms"),
}
_SCHEMA = pa.schema([(column.name, _TYPES[column.kind]) for column in COLUMNS])
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class RecordFile:
    """Records that were written together."""

    location: Location
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """File name: the run's, and a hash of the records it holds."""
        return base_name(self.location)


def add_records(folder: Location, run_id: str, rows: Iterable[Row]) -> tuple[RecordFile, ...]:
    """Write those of a run's records that the folder does not have yet.

    Parameters
    ----------
    folder
        Path or URI; made if it is not there.
    run_id
        The run, which names the file.
    rows
        Records with different ``record_id``.

    Returns
    -------
    All files of the run, also those of an earlier call.

    Raises
    ------
    StorageError
        The folder cannot be read or written.
    """
    make_folder(folder)
    files = record_files(folder, run_id)
    known = {row["record_id"] for file in files for row in file.rows}
    fresh = [row for row in rows if row["record_id"] not in known]
    if not fresh:
        return files
    digest = hashlib.sha256("\n".join(sorted(row["record_id"] for row in fresh)).encode()).hexdigest()[:8]
    location = join(folder, f"{run_id}.{digest}{_SUFFIX}")
    write_bytes(location, _encoded(fresh))
    return (*files, RecordFile(location, tuple(fresh)))


def record_files(folder: Location, run_id: str | None = None, newest: int | None = None) -> tuple[RecordFile, ...]:
    """Read a folder's files of records, all or those of one run, by name; or so many of the newest runs.

    Columns that this version does not know are left out, those that an earlier one did not have are empty. Files that
    hold something else are passed over.

    Raises
    ------
    StorageError
        The folder is there and cannot be read.
    """
    prefix = "" if run_id is None else f"{run_id}."
    try:
        entries = listing(folder)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return ()
        raise
    found = [entry for entry in entries if entry.name.startswith(prefix) and entry.name.endswith(_SUFFIX)]
    for entry in found:
        if entry.problem is not None:
            _LOG.warning("%s is left out: %s", entry.location, entry.problem)
    places = [entry.location for entry in found if entry.problem is None and not entry.is_folder]
    places = places if newest is None else sorted(places, key=base_name)[-newest:]  # runs are named by time
    return tuple(RecordFile(place, rows) for place in places if (rows := _decoded(read_bytes(place))))


def read_folder(folder: Location, newest: int | None = None) -> list[Row]:
    """Return all records of a folder, each once.

    Parameters
    ----------
    folder
        Path or URI.
    newest
        How many files to read, the last ones; None for all.

    Raises
    ------
    StorageError
        The folder is there and cannot be read.
    """
    rows = {row["record_id"]: row for file in record_files(folder, newest=newest) for row in file.rows}
    return list(rows.values())


def _encoded(rows: Sequence[Row]) -> bytes:
    # By way of JSON: Arrow's way to take Python's values imports pandas where it is installed (see cells.text.arrow).
    lines = "\n".join(json.dumps(row, default=_milliseconds) for row in rows).encode()
    table = pa_json.read_json(
        io.BytesIO(lines),
        read_options=pa_json.ReadOptions(use_threads=False),
        parse_options=pa_json.ParseOptions(explicit_schema=_SCHEMA),
    )
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def _milliseconds(moment: datetime) -> str:
    """Write a DATETIME for JSON."""
    return moment.isoformat(timespec="milliseconds")


def _decoded(content: bytes) -> tuple[Row, ...]:
    """Return a file's records; none where it is damaged or holds something else."""
    try:
        table = read_parquet_bytes(content)
        known = table.select([name for name in _SCHEMA.names if name in table.column_names])
        return tuple(validated(row) for row in known.to_pylist() if row.get("record_id"))
    except (pa.ArrowException, ValueError, OSError):
        return ()
