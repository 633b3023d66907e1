import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellscale.records.benchmark_table.archive import add_records, read_folder, record_files
from tests.records.rows import row


def test_records_come_back_as_they_were(tmp_path):
    rows = [row("a", cells=3, total_time_s=1.5), row("b")]
    add_records(tmp_path / "benchmarks", "run-1", rows)
    assert read_folder(tmp_path / "benchmarks") == rows


def test_the_same_record_written_twice_appears_once(tmp_path):
    first = add_records(tmp_path, "run-1", [row("a"), row("b")])
    assert add_records(tmp_path, "run-1", [row("b"), row("a")]) == first
    assert len(list(tmp_path.iterdir())) == 1


def test_runs_accumulate_and_a_run_taken_up_again_adds_what_is_new(tmp_path):
    add_records(tmp_path, "run-1", [row("a")])
    add_records(tmp_path, "run-2", [row("a", "run-2")])
    files = add_records(tmp_path, "run-1", [row("a"), row("b")])
    assert [found["input_file_id"] for file in files for found in file.rows] == ["a", "b"]
    assert len(read_folder(tmp_path)) == 3
    assert len(record_files(tmp_path)) == 3


def test_the_newest_runs_can_be_read_alone(tmp_path):
    for number in (3, 1, 2):
        add_records(tmp_path, f"2026112{number}T120000Z-abc", [row("a", f"run-{number}")])
    newest = read_folder(tmp_path, newest=2)
    assert [found["run_id"] for found in newest] == ["run-2", "run-3"]


def test_there_are_none_where_there_is_no_folder(tmp_path):
    assert read_folder(tmp_path / "nothing") == []


def test_other_and_damaged_files_are_passed_over(tmp_path):
    add_records(tmp_path, "run-1", [row("a")])
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 no more")
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    assert read_folder(tmp_path) == [row("a")]


def test_records_of_other_versions_are_read(tmp_path):
    """One has a column that this version does not know, and lacks most that it knows."""
    pq.write_table(pa.table({"record_id": ["x"], "input_file_id": ["a"], "later": [1]}), tmp_path / "run.parquet")
    (found,) = read_folder(tmp_path)
    assert (found["record_id"], found["input_file_id"], found["cells"]) == ("x", "a", None)


@pytest.mark.parametrize("values", [{"record_id": ["x"], "cells": ["many"]}, {"record_id": [None], "cells": [1]}])
def test_records_that_are_none_are_passed_over(tmp_path, values):
    pq.write_table(pa.table(values), tmp_path / "run.parquet")
    assert read_folder(tmp_path) == []
