import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from google.cloud import bigquery

from cellscale.errors import RequestError, StorageError
from cellscale.records.benchmark_table.archive import add_records
from cellscale.records.benchmark_table.schema import COLUMNS
from cellscale.records.bigquery import Waits, append_file, create_table, open_client
from cellscale.records.upload import append_files
from tests.records.rows import row

QUICK = Waits(first=0.02, longest=0.1, patience=20)


@pytest.fixture
def table(bigquery_dataset):
    name = f"{bigquery_dataset}.benchmarks"
    create_table(open_client(name), name)
    return name


def stored(table):
    return [dict(found) for found in open_client(table).list_rows(table)]


def names(table):
    return sorted(found["input_file_id"] for found in stored(table))


def test_a_new_table_has_all_columns(bigquery_dataset):
    name = f"{bigquery_dataset}.new"
    client = open_client(name)
    assert create_table(client, name) is None
    assert [(field.name, field.mode) for field in client.get_table(name).schema] == [
        (column.name, "NULLABLE") for column in COLUMNS
    ]
    assert create_table(client, name) == 0


def test_the_table_of_the_original_system_gets_the_columns_that_it_lacks(bigquery_dataset):
    name = f"{bigquery_dataset}.original"
    client = open_client(name)
    original = [bigquery.SchemaField(column.name, column.kind) for column in COLUMNS[:36]]
    client.create_table(bigquery.Table(name, schema=original))
    assert create_table(client, name) == len(COLUMNS) - 36
    assert [field.name for field in client.get_table(name).schema] == [column.name for column in COLUMNS]


def test_values_arrive_as_they_were(table, tmp_path):
    append_files(table, add_records(tmp_path, "run-1", [row()]))
    (found,) = stored(table)
    assert found == row()
    assert found["benchmark_datetime_utc"] == datetime(2026, 1, 2, 3, 4, 5, 678000)


def test_a_record_written_twice_appears_once(table, tmp_path):
    for _ in range(2):
        append_files(table, add_records(tmp_path, "run-1", [row("a"), row("b")]))
    assert names(table) == ["a", "b"]
    append_files(table, add_records(tmp_path, "run-1", [row("a"), row("b"), row("c")]))
    append_files(table, add_records(tmp_path, "run-2", [row("a", "run-2")]))
    assert names(table) == ["a", "a", "b", "c"]


def test_two_at_the_same_time_add_it_once(table, tmp_path):
    (file,) = add_records(tmp_path, "run-1", [row()])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: append_file(open_client(table), table, file, QUICK), range(4)))
    assert names(table) == ["a"]


def test_many_runs_append_side_by_side(table, tmp_path):
    runs = [f"run-{index}" for index in range(12)]
    files = [add_records(tmp_path, run, [row(run, run)])[0] for run in runs]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda file: append_file(open_client(table), table, file, QUICK), files))
    assert names(table) == sorted(runs)


@pytest.mark.parametrize(
    ("code", "reason"), [(403, "rateLimitExceeded"), (429, "rateLimitExceeded"), (503, "backendError")]
)
def test_a_busy_service_is_asked_again(bigquery_front, table, tmp_path, code, reason):
    (file,) = add_records(tmp_path, "run-1", [row()])
    for _ in range(2):
        bigquery_front.refuse(code, reason, "Exceeded rate limits: too many table update operations")
    append_file(open_client(table), table, file, QUICK)
    assert names(table) == ["a"]
    assert bigquery_front.refusals == []


def test_a_service_that_stays_busy_is_given_up_with_a_message(bigquery_front, table, tmp_path):
    (file,) = add_records(tmp_path, "run-1", [row()])
    for _ in range(500):
        bigquery_front.refuse(403, "rateLimitExceeded", "Exceeded rate limits")
    started = time.monotonic()
    with pytest.raises(StorageError, match=r"too many requests.*Exceeded rate limits"):
        append_file(open_client(table), table, file, Waits(first=0.02, longest=0.1, patience=1))
    assert time.monotonic() - started < 20


def test_what_is_not_permitted_says_which_roles_are_needed_and_gives_no_address(bigquery_front, table, tmp_path):
    (file,) = add_records(tmp_path, "run-1", [row()])
    bigquery_front.refuse(403, "accessDenied", "Access Denied: Project demo")
    with pytest.raises(
        StorageError, match=r"does not permit.*Access Denied: Project demo.*roles/bigquery\."
    ) as caught:
        append_file(open_client(table), table, file, QUICK)
    assert "http" not in str(caught.value)


def test_a_missing_table_says_how_to_make_it(bigquery_dataset, tmp_path):
    files = add_records(tmp_path, "run-1", [row()])
    with pytest.raises(StorageError, match=rf"no BigQuery table .*create-table {bigquery_dataset}\.nowhere"):
        append_files(f"{bigquery_dataset}.nowhere", files)


@pytest.mark.parametrize("name", ["table", "dataset.table", "..", "project.dataset."])
def test_a_table_needs_three_names(name):
    with pytest.raises(RequestError, match=r"expected project\.dataset\.table"):
        append_files(name, ())


def test_without_credentials_the_message_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    with pytest.raises(StorageError, match=r"no Google credentials.*gcloud auth application-default login"):
        append_files("project.dataset.table", ())
