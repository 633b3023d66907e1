"""The table of benchmark records: its columns and rows, in Parquet files."""

from cellscale.records.benchmark_table.archive import RecordFile, add_records, read_folder, record_files
from cellscale.records.benchmark_table.row import Row, record_id, validated
from cellscale.records.benchmark_table.schema import COLUMNS, STAGES, Stage, bigquery_schema

__all__ = [
    "COLUMNS",
    "STAGES",
    "RecordFile",
    "Row",
    "Stage",
    "add_records",
    "bigquery_schema",
    "read_folder",
    "record_files",
    "record_id",
    "validated",
]
