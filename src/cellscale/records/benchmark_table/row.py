"""One benchmark record, checked against the table's columns."""

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from cellscale.records.benchmark_table.schema import COLUMNS, Kind

__all__ = ["Row", "record_id", "validated"]

Row: TypeAlias = dict[str, Any]
"""A value, or None, for each column; a DATETIME is a ``datetime`` without a time zone."""

_LARGEST = 2**63
_LONGEST = 1000
_KINDS = {column.name: column.kind for column in COLUMNS}


def validated(values: Mapping[str, Any]) -> Row:
    """Return a row with all columns in the table's order, those that are not given empty.

    BigQuery refuses a whole file for one wrong row, and emulators of it let pass what it refuses: rows are checked
    here.

    Raises
    ------
    ValueError
        A column is unknown, or a value is not of its column's type.
    """
    unknown = values.keys() - _KINDS.keys()
    if unknown:
        raise ValueError(f"the benchmark table has no columns {', '.join(sorted(unknown))}")
    for name, value in values.items():
        if value is not None and not _fits(value, _KINDS[name]):
            raise ValueError(f"column {name} of the benchmark table is {_KINDS[name]}; found {value!r}")
    return {name: values.get(name) for name in _KINDS}


def _fits(value: object, kind: Kind) -> bool:
    if kind == "STRING":
        return isinstance(value, str) and len(value) <= _LONGEST
    if kind == "BOOLEAN":
        return isinstance(value, bool)
    if kind == "INTEGER":
        return isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value < _LARGEST
    if kind == "FLOAT":
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, datetime) and value.tzinfo is None


def record_id(run_id: str, image: str, finished_utc: str) -> str:
    """Return what identifies the record of an image in a run: 32 hexadecimal digits.

    An image that a run finishes twice, after a retry, has two records.
    """
    return hashlib.sha256("\n".join((run_id, image, finished_utc)).encode("utf-8", "replace")).hexdigest()[:32]
