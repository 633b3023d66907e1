"""Parquet tables that are in memory, read without Arrow's threads.

Those hold what they read, which is Python's, and may let go of it when the process ends: it then aborts, or never
ends (apache/arrow#34314 and #50482; seen with pyarrow 26). So do processes of those who call the Python API.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pa_parquet

__all__ = ["read_parquet_bytes"]


def read_parquet_bytes(content: bytes | memoryview, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table.

    Parameters
    ----------
    content
        The file's bytes.
    columns
        Names of those to read, in this order; all if left out.

    Raises
    ------
    pyarrow.ArrowException
        It is no table, or a damaged one.
    KeyError
        There is no such column.
    """
    # Not read_table, which goes through Arrow's data sets: they read ahead in threads whatever they are told.
    with pa_parquet.ParquetFile(pa.BufferReader(content)) as file:
        if columns is None:
            return file.read(use_threads=False)
        missing = [name for name in columns if name not in file.schema_arrow.names]
        if missing:
            raise KeyError(f"there is no column {missing[0]!r}")
        return file.read(columns=list(columns), use_threads=False).select(list(columns))
