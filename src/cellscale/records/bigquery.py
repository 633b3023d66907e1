"""Benchmark records in a BigQuery table, each once however often it is sent."""

import hashlib
import io
import json
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core import exceptions, retry
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from requests import exceptions as requests_errors

from cellscale.errors import RequestError, StorageError
from cellscale.records.benchmark_table.archive import RecordFile
from cellscale.records.benchmark_table.row import Row
from cellscale.records.benchmark_table.schema import bigquery_schema

__all__ = ["Waits", "append_file", "create_table", "open_client"]

_EMULATOR = "BIGQUERY_EMULATOR_HOST"
"""Environment variable by which Google's client finds an emulator."""
_BUSY = {"rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded", "backendError", "internalError"}
"""Reasons for which the same work may succeed a little later."""
_ADDRESS = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) \S+: ")
_ATTEMPTS = 6
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
_PATIENCE = 300.0
"""Seconds after which a request that is refused for its rate is given up, and so is the wait for a job."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait between tries."""

    first: float = _FIRST_WAIT
    longest: float = _LONGEST_WAIT
    patience: float = _PATIENCE


_WAITS = Waits()


def open_client(table: str) -> bigquery.Client:
    """Return a client whose jobs run in the table's project.

    Raises
    ------
    RequestError
        The table's name is not ``project.dataset.table``.
    StorageError
        There are no credentials.
    """
    parts = table.rsplit(".", 2)
    if len(parts) != 3 or not all(parts):
        raise RequestError(f"{table!r} is no BigQuery table; expected project.dataset.table")
    # An emulator asks for no credentials, and a machine that runs one may have none.
    anonymous: Any = AnonymousCredentials
    credentials = anonymous() if os.environ.get(_EMULATOR) else None
    with _explained(table):
        return bigquery.Client(project=parts[0], credentials=credentials)


def create_table(client: bigquery.Client, table: str) -> int | None:
    """Create a table for benchmark records, or give one that is there the columns it lacks.

    Returns
    -------
    How many columns were added to a table that was there; None where the table is new.

    Raises
    ------
    StorageError
        It may not be done, or there is no such dataset.
    """
    fields = _fields()
    with _explained(table):
        try:
            found = client.get_table(table)
        except exceptions.NotFound:
            client.create_table(bigquery.Table(table, schema=fields))
            return None
        names = {field.name.lower() for field in found.schema}
        missing = [field for field in fields if field.name not in names]
        if missing:
            found.schema = [*found.schema, *missing]
            client.update_table(found, ["schema"])
        return len(missing)


def append_file(client: bigquery.Client, table: str, file: RecordFile, waits: Waits = _WAITS) -> None:
    """Append a file of records to a table, unless that was done before.

    The load job's name follows from the table and the file, and BigQuery refuses a second job of a name, so that a
    retry, here or of the whole run, adds no row twice.

    Parameters
    ----------
    client
        From `open_client`.
    table
        ``project.dataset.table``.
    file
        The records.
    waits
        How long to wait when BigQuery is asked too often.

    Raises
    ------
    StorageError
        The table is not there or may not be written, or BigQuery did not accept the records.
    """
    content = b"".join(json.dumps(_json(row), allow_nan=False).encode() + b"\n" for row in file.rows)
    name = hashlib.sha256(f"{table}/{file.name}".encode()).hexdigest()[:32]
    with _explained(table):
        location = client.get_table(table).location
        patient = retry.Retry(
            predicate=_is_busy, initial=waits.first, maximum=waits.longest, timeout=waits.patience, multiplier=2.0
        )
        for attempt in range(_ATTEMPTS):
            job = patient(_loading)(client, table, content, f"cellscale_{name}_{attempt}", location)
            try:
                job.result(timeout=waits.patience)
            except exceptions.GoogleAPICallError as error:
                # A job that failed has added nothing; its name is taken, the next one's follows from it.
                if not _is_busy(error) or attempt == _ATTEMPTS - 1:
                    raise
                _sleep(waits, attempt)
            else:
                return


def _loading(client: bigquery.Client, table: str, content: bytes, name: str, location: str | None) -> Any:
    """Return the load job of a name: a new one, or the one that an earlier try began."""
    config = bigquery.LoadJobConfig(
        schema=_fields(),
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        # A table that deepcell-imaging made gets our columns.
        schema_update_options=[bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION],
    )
    try:
        return client.load_table_from_file(
            io.BytesIO(content), table, job_id=name, location=location, job_config=config
        )
    except exceptions.Conflict:
        return client.get_job(name, location=location)


def _sleep(waits: Waits, attempt: int) -> None:
    time.sleep(random.uniform(0.5, 1.0) * min(waits.first * 2**attempt, waits.longest))


def _is_busy(error: BaseException) -> bool:
    """Tell whether BigQuery refused something only for the moment."""
    if isinstance(error, exceptions.TooManyRequests | exceptions.ServerError | requests_errors.ConnectionError):
        return True
    reasons: Sequence[dict[str, Any]] = getattr(error, "errors", ())
    return any(isinstance(reason, dict) and reason.get("reason") in _BUSY for reason in reasons)


def _fields() -> list[bigquery.SchemaField]:
    return [bigquery.SchemaField.from_api_repr(field) for field in bigquery_schema()]


def _json(row: Row) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if value is not None
    }


@contextmanager
def _explained(table: str) -> Iterator[None]:
    """Turn what Google's client raises into messages that say what to do."""
    try:
        yield
    except exceptions.NotFound as error:
        raise StorageError(
            f"there is no BigQuery table {table}, or no dataset for it; make the dataset with `bq mk --dataset "
            f"{table.rpartition('.')[0]}` and the table with `cellscale benchmark create-table {table}`"
        ) from error
    except exceptions.RetryError as error:
        raise StorageError(f"BigQuery got too many requests for {table}: {_first_words(error.cause)}") from error
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        if _is_busy(error):
            raise StorageError(f"BigQuery got too many requests for {table}: {_first_words(error)}") from error
        raise StorageError(
            f"BigQuery does not permit the use of {table}: {_first_words(error)}. The account needs the roles "
            "roles/bigquery.jobUser on the project and roles/bigquery.dataEditor on the dataset."
        ) from error
    except GoogleAuthError as error:
        raise StorageError(
            f"no Google credentials for {table}: {_first_words(error)}. Run `gcloud auth application-default login`."
        ) from error
    except (exceptions.GoogleAPIError, requests_errors.RequestException, TimeoutError) as error:
        raise StorageError(f"BigQuery did not take the records for {table}: {_first_words(error)}") from error


def _first_words(error: Exception) -> str:
    """Return the first line of an error, without the address that was asked."""
    text: str = getattr(error, "message", None) or str(error)
    return _ADDRESS.sub("", text.splitlines()[0])[:300] if text else type(error).__name__
