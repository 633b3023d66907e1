"""What a run costs on rented machines, by its network."""

from dataclasses import replace

import pytest

from cellscale.engines.batch.compute import parse_compute
from cellscale.engines.batch.plan.cost import CostedJob, estimate_cost
from cellscale.engines.batch.plan.sizing import Need, Sizes
from cellscale.pipeline.model import LIKE_INSTANSEG, LIKE_MESMER
from cellscale.records import shipped_rates

SIZES = Sizes(images=4, file_bytes=10**9, largest=10**9, pixels=4 * 10**9)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Leave the records of whoever runs the tests alone."""
    monkeypatch.setattr(shipped_rates, "user_data_path", lambda *_, **__: tmp_path / "user")


def cost(machine, network="mesmer", interface=LIKE_MESMER):
    compute = parse_compute(machine, "--machine")
    job = CostedJob(measuring=False, compute=compute, need=Need(None, 1000, 100), parallelism=2)
    return estimate_cost([job], SIZES, network, interface)


@pytest.mark.parametrize(("mpp", "times"), [(0.5, 1), (0.25, 4)])
def test_time_goes_by_the_pixels_that_the_network_sees(mpp, times):
    machine = "n1-standard-8:SPOT"
    usual, other = cost(machine), cost(machine, "other", replace(LIKE_MESMER, input_format=given(mpp)))
    assert other.machine_hours == pytest.approx(times * usual.machine_hours, rel=0.1)


def given(mpp):
    return replace(LIKE_MESMER.input_format, mpp=mpp)


def test_cards_do_nothing_for_a_network_of_squares():
    alone, card = "n1-standard-8:SPOT", "n1-standard-8:SPOT+nvidia-tesla-t4:1"
    hours = [cost(machine, "instanseg", LIKE_INSTANSEG).machine_hours for machine in (alone, card)]
    assert hours[0] <= hours[1] < 1.1 * hours[0]  # a machine with a card takes longer to start
    assert cost(card).machine_hours < 0.7 * cost(alone).machine_hours


def test_a_network_without_records_is_said_to_be_reckoned_as_mesmer():
    assert "other, which has no records, is reckoned as Mesmer" in str(cost("n1-standard-8:SPOT", "other"))
    assert "reckoned" not in str(cost("n1-standard-8:SPOT"))
