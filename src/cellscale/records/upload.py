"""Sending benchmark records to BigQuery, where its client is installed."""

from collections.abc import Iterable
from types import ModuleType

from cellscale.errors import RequestError
from cellscale.records.benchmark_table.archive import RecordFile

__all__ = ["append_files", "create_table"]


def append_files(table: str, files: Iterable[RecordFile]) -> None:
    """Append files of records to a table, each unless that was done before.

    Parameters
    ----------
    table
        ``project.dataset.table``.
    files
        The records.

    Raises
    ------
    RequestError
        BigQuery's client is not installed, or the table's name has another form.
    StorageError
        The table is not there or may not be written.
    """
    bigquery = _required(table)
    client = bigquery.open_client(table)
    for file in files:
        bigquery.append_file(client, table, file)


def create_table(table: str) -> int | None:
    """Create a table for benchmark records, or give one that is there the columns it lacks.

    Returns
    -------
    How many columns were added to a table that was there; None where the table is new.

    Raises
    ------
    RequestError
        BigQuery's client is not installed, or the table's name has another form.
    StorageError
        It may not be done, or there is no such dataset.
    """
    bigquery = _required(table)
    added: int | None = bigquery.create_table(bigquery.open_client(table), table)
    return added


def _required(table: str) -> ModuleType:
    try:
        from cellscale.records import bigquery
    except ImportError as error:
        raise RequestError(
            f"cannot reach {table}: BigQuery's client is not installed: run pip install 'cellscale[gcp]'"
        ) from error
    return bigquery
