"""Anyone's table of cells: which class it gives to which id."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from cellscale.errors import RequestError
from cellscale.parquet_bytes import read_parquet_bytes
from cellscale.storage.uri import Location, read_bytes

__all__ = ["ClassTable", "read_class_table"]

_SEPARATORS = "\t,;"
_NOTHING = frozenset({"", "nan", "na", "none", "null", "unclassified"})


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Classes by the ids of objects; objects without a class are left out."""

    column: str
    classes: Mapping[str, str]


def read_class_table(location: Location, column: str | None = None, id_column: str = "Object ID") -> ClassTable:
    """Read a table.

    Parameters
    ----------
    location
        Path or URI: Parquet, or text with tabs, commas or semicolons between columns, whose first line names them.
    column
        The column with classes; may be left out where there is one beside that of ids.
    id_column
        The column with ids of objects.

    Raises
    ------
    RequestError
        It is no such table, has no such columns, or gives two classes to one object.
    StorageError
        It cannot be read.
    """
    content = read_bytes(location)
    is_parquet = content[:4] == b"PAR1"
    try:
        names = pa_parquet.read_schema(BytesIO(content)).names if is_parquet else _header(content)
        column = _column(names, column, id_column, location)
        ids, values = (_texts(content, names, name, is_parquet=is_parquet) for name in (id_column, column))
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        raise RequestError(f"{location} cannot be read as a table (Parquet, TSV or CSV): {error}") from error
    classes: dict[str, str] = {}
    for row, (name, value) in enumerate(zip(ids, values, strict=True), 1):
        if name is None or value is None or value.strip().lower() in _NOTHING:
            continue
        given = _name(value, f"{location}, row {row}")
        if classes.setdefault(name, given) != given:
            raise RequestError(
                f"{location}, row {row}: the object {name} has two classes, {classes[name]} and {given}; leave one "
                "out"
            )
    return ClassTable(column, classes)


def _name(value: str, where: str) -> str:
    """Return a class's name as QuPath has it: classes below classes are set apart by colons."""
    parts = [part.strip() for part in value.split(":")]
    if not all(parts) or any(sign in value for sign in "\n\r"):
        raise RequestError(f"{where}: {value!r} cannot be the name of a class; parts of it may not be empty")
    return ": ".join(parts)


def _header(content: bytes) -> list[str]:
    first = content.partition(b"\n")[0].decode("utf-8-sig").rstrip("\r")
    return next(csv.reader([first], delimiter=_separator(first)), [])


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _column(names: list[str], column: str | None, id_column: str, location: Location) -> str:
    there = ", ".join(names)
    if id_column not in names:
        raise RequestError(f"{location} has no column {id_column!r} (--id_column); it has {there}")
    others = [name for name in names if name != id_column]
    if column is None and len(others) == 1:
        return others[0]
    if column is None:
        raise RequestError(f"{location} has several columns; name the one with classes with --column: {there}")
    if column not in others:
        raise RequestError(f"{location} has no column {column!r} (--column); it has {there}")
    return column


def _texts(content: bytes, names: list[str], name: str, *, is_parquet: bool) -> list[str | None]:
    """Return a column as text."""
    if is_parquet:
        values = read_parquet_bytes(content, [name]).column(name).to_pylist()
        return [None if value is None else str(value) for value in values]  # of NaN "nan", which is no class
    first = content.partition(b"\n")[0].decode("utf-8-sig")
    table = pa_csv.read_csv(
        BytesIO(content.removeprefix(b"\xef\xbb\xbf")),
        read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, skip_rows=1),
        parse_options=pa_csv.ParseOptions(delimiter=_separator(first), newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(include_columns=[name], column_types={name: pa.string()}),
    )
    found: list[str | None] = table.column(name).to_pylist()
    return found
