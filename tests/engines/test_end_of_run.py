import sys

import pytest

from cellscale.engines.end_of_run import close_run, new_run_id
from cellscale.pipeline.events import Notice
from cellscale.pipeline.outcome import RunOutcome
from cellscale.records.benchmark_table.archive import read_folder
from tests.engines.outcomes import SEGMENTING, outcome, request
from tests.records.conftest import bigquery_dataset, bigquery_emulator, bigquery_front

__all__ = ["bigquery_dataset", "bigquery_emulator", "bigquery_front"]


@pytest.fixture
def notices():
    return []


def close(root, notices, *images, **options):
    return close_run(request(root, report=False), RunOutcome(images), notices.append, engine="local", **options)


def stored(root):
    return sorted(row["input_file_id"] for row in read_folder(root / "jobs" / "benchmarks"))


def test_every_run_leaves_its_records(tmp_path, notices):
    close(tmp_path, notices, outcome("a"), outcome("b"))
    close(tmp_path, notices, outcome("a"))
    assert stored(tmp_path) == ["a", "a", "b"]
    assert notices == []


def test_closing_the_same_run_again_adds_only_what_is_new(tmp_path, notices):
    close(tmp_path, notices, outcome("a"), run_id="run-1")
    close(tmp_path, notices, outcome("a"), outcome("b"), run_id="run-1")
    assert stored(tmp_path) == ["a", "b"]


def test_an_image_whose_machine_was_lost_is_on_record_as_failed(tmp_path, notices):
    segmented = outcome("a", stages=SEGMENTING)
    joined = outcome("a", stages=SEGMENTING, status="failed")
    gone = outcome("b", stages=(), status="failed", finished_utc="")
    close(tmp_path, notices, joined, gone, parts=[segmented])
    rows = {row["input_file_id"]: row for row in read_folder(tmp_path / "jobs" / "benchmarks")}
    assert [rows[name]["success"] for name in "ab"] == [False, False]
    assert (rows["a"]["prediction_success"], rows["a"]["measurement_success"]) == (True, False)
    assert notices == []


def test_a_dry_run_leaves_nothing(tmp_path, notices):
    close_run(request(tmp_path, dry_run=True), RunOutcome((outcome(),)), notices.append, engine="local")
    assert list(tmp_path.iterdir()) == []


def test_records_that_cannot_be_written_are_a_warning(tmp_path, notices):
    (tmp_path / "jobs").write_text("a file where the folder should be", encoding="utf-8")
    found = close(tmp_path, notices, outcome("a"))
    assert found.exit_code == 0
    (notice,) = notices
    assert (notice.image, notice.level) == ("", "warning")
    assert notice.text.startswith("benchmark records: cannot ")


def test_something_unexpected_is_a_warning(tmp_path, notices):
    close(tmp_path, notices, outcome("a", finished_utc="yesterday"))
    assert [notice.level for notice in notices] == ["warning"]
    assert "unexpected error" in notices[0].text


def test_without_the_client_of_bigquery_the_records_stay_and_the_warning_names_the_extra(
    tmp_path, notices, monkeypatch
):
    monkeypatch.setitem(sys.modules, "cellscale.records.bigquery", None)
    monkeypatch.delattr("cellscale.records.bigquery", raising=False)  # where another test has imported it
    close(tmp_path, notices, outcome("a"), benchmark_table="project.dataset.table")
    assert stored(tmp_path) == ["a"]
    assert notices == [
        Notice(
            "",
            "warning",
            "benchmark records: cannot reach project.dataset.table: BigQuery's client is not installed: run pip "
            "install 'cellscale[gcp]'",
        )
    ]


def test_a_table_gets_each_record_once(tmp_path, notices, bigquery_dataset):
    from cellscale.records.bigquery import create_table, open_client

    table = f"{bigquery_dataset}.rows"
    client = open_client(table)
    create_table(client, table)
    for images in ([outcome("a")], [outcome("a"), outcome("b")]):
        close(tmp_path, notices, *images, run_id="run-1", benchmark_table=table)
    assert notices == []
    assert sorted(row["input_file_id"] for row in client.list_rows(table)) == ["a", "b"]


def test_runs_are_named_by_their_time_and_none_as_another():
    names = [new_run_id() for _ in range(50)]
    assert len(set(names)) == 50
    assert names[0][:8].isdecimal()
