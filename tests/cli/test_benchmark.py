import json

import pytest
from PIL import Image

from cellscale.records import shipped_rates
from cellscale.records.benchmark_table.archive import add_records, read_folder
from cellscale.records.benchmark_table.schema import bigquery_schema
from tests.cli.runs import run
from tests.planning.made_up import made_up_rows
from tests.records.conftest import bigquery_dataset, bigquery_emulator, bigquery_front

__all__ = ["bigquery_dataset", "bigquery_emulator", "bigquery_front"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Leave the records of whoever runs the tests alone."""
    monkeypatch.setattr(shipped_rates, "user_data_path", lambda *_, **__: tmp_path / "user")


@pytest.fixture
def dataset(tmp_path):
    add_records(tmp_path / "dataset" / "jobs" / "benchmarks", "made-up", made_up_rows())
    return tmp_path / "dataset"


def test_the_schema_is_printed_as_bigquery_takes_it():
    assert json.loads(run("benchmark", "schema").stdout) == bigquery_schema()


def test_a_table_is_made_filled_and_filled_again(dataset, bigquery_dataset):
    table = f"{bigquery_dataset}.rows"
    assert run("benchmark", "create-table", table).stdout == f"{table}: created\n"
    assert run("benchmark", "create_table", table).stdout == f"{table}: was there; 0 columns added\n"
    for _ in range(2):
        assert run("benchmark", "send", table, dataset).stdout == f"{table}: has 8 records of 1 runs\n"
    from cellscale.records.bigquery import open_client

    assert len(list(open_client(table).list_rows(table))) == 8


def test_what_a_megapixel_takes_is_shown(dataset):
    for place in (dataset, dataset / "jobs" / "benchmarks"):
        head, line = run("benchmark", "show", place).stdout.splitlines()
        shown = dict(zip(head.split("\t"), line.split("\t"), strict=True))
        assert (shown["machine"], shown["device"], shown["images"], shown["failed"]) == (
            "Known, 2 cores",
            "cpu",
            "8",
            "0",
        )
        assert 2 < float(shown["s/Mpx"]) < 10


def test_without_records_the_message_says_where_they_come_from(tmp_path):
    run("benchmark", "show", tmp_path).explains("there are no benchmark records", "a run makes them")


@pytest.mark.slow
def test_plots_are_a_picture_and_a_page_that_needs_nothing_else(dataset, tmp_path):
    run("benchmark", "plot", dataset, "--out", tmp_path / "plots")
    with Image.open(tmp_path / "plots" / "benchmarks.png") as picture:
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(2**24)) > 10
    page = (tmp_path / "plots" / "benchmarks.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == 9
    assert "<svg" in page
    for outside in ("<script", "<link", "src=", "@import"):
        assert outside not in page


@pytest.mark.slow
def test_a_run_measures_this_machine_and_is_kept_for_estimates(tmp_path, tiny_model):
    found = run(
        "benchmark", "run", tmp_path / "trial", "--sizes", "256", "--channels", "2", "--model_path", tiny_model
    )
    assert found.exit_code == 0
    (row,) = read_folder(tmp_path / "trial" / "jobs" / "benchmarks")
    assert (row["pixels_m"], row["channels"], row["success"]) == (65536, 2, True)
    assert read_folder(shipped_rates.user_records()) == [row]
    assert "65,536" in found.stdout


@pytest.mark.parametrize("sizes", ["0", "x", "256,-1"])
def test_a_size_that_is_none_is_refused(tmp_path, sizes):
    run("benchmark", "run", tmp_path, "--sizes", sizes).explains("--sizes", "is not a whole number")
