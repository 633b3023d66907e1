import pytest

from cellscale.predict.instanseg import SquareGrid
from cellscale.records import shipped_rates
from cellscale.records.benchmark_table.archive import add_records
from cellscale.records.fit_rates import learn, size_of
from cellscale.records.machine import Machine
from cellscale.records.shipped_rates import keep, known_rates, shipped_rows
from tests.planning.made_up import made_up_rows

HERE = Machine(cpu="Known", cores=2)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Leave the records of whoever runs the tests alone."""
    monkeypatch.setattr(shipped_rates, "user_data_path", lambda *_, **__: tmp_path / "user")


def write(folder, **settings):
    return add_records(folder, "made-up", made_up_rows(**settings))


def test_cellscale_ships_with_records_that_rates_are_learnt_from():
    rates = learn(shipped_rows(), "shipped")
    assert rates.images >= 3
    assert 0.01 < rates.network < 5
    assert known_rates(None, None).source == "those that cellscale ships with"


def test_the_dataset_s_own_records_come_first_then_named_ones_then_the_user_s(tmp_path):
    keep(write(tmp_path / "elsewhere"))
    assert "user" in known_rates(tmp_path / "jobs", HERE).source
    write(tmp_path / "other")
    assert str(tmp_path / "other") in known_rates(tmp_path / "jobs", HERE, [tmp_path / "other"]).source
    write(tmp_path / "jobs" / "benchmarks")
    assert str(tmp_path / "jobs") in known_rates(tmp_path / "jobs", HERE, [tmp_path / "other"]).source


def test_too_few_records_and_those_of_other_machines_do_not_count(tmp_path):
    write(tmp_path / "jobs" / "benchmarks", sides=(512,))
    assert known_rates(tmp_path / "jobs", HERE).source.startswith("those that")
    write(tmp_path / "more" / "benchmarks")
    assert known_rates(tmp_path / "more", Machine(cpu="Other", cores=2)).source.startswith("those that")
    assert known_rates(tmp_path / "more", None).machine == "Known"


def test_a_pixel_of_a_network_without_records_costs_what_one_of_mesmers_does():
    rates = known_rates(None, None)
    others = known_rates(None, None, (), "other", SquareGrid)
    row = shipped_rows()[-1]
    mesmers, squares = rates.work(size_of(row)), others.work(size_of(row, SquareGrid))
    assert squares == pytest.approx(mesmers, rel=0.1)


def test_records_of_another_network_do_not_count(tmp_path):
    write(tmp_path / "jobs" / "benchmarks")
    assert known_rates(tmp_path / "jobs", HERE, network="other").source.startswith("those that")
