"""Machines to rent, written as the original writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.engines.batch.compute import MEASURE, SEGMENT, Compute, MachineType, machine_of, parse_compute
from cellscale.engines.batch.prices import hourly_price
from cellscale.errors import RequestError

OPTION = "--segmentation_compute_config"


@pytest.mark.parametrize(
    ("text", "machine", "provisioning", "accelerator", "count"),
    [
        ("n1-standard-8:SPOT+nvidia-tesla-t4:1", "n1-standard-8", "SPOT", "nvidia-tesla-t4", 1),
        ("n1-standard-8:SPOT", "n1-standard-8", "SPOT", "", 0),
        ("n1-standard-16", "n1-standard-16", "SPOT", "", 0),
        (":STANDARD", "n1-standard-8", "STANDARD", "", 0),
        ("+nvidia-tesla-v100:2", "n1-standard-8", "SPOT", "nvidia-tesla-v100", 2),
        ("n1-standard-4+nvidia-tesla-p100", "n1-standard-4", "SPOT", "nvidia-tesla-p100", 1),
        ("g2-standard-8:spot", "g2-standard-8", "SPOT", "", 0),
        (" n2d-highmem-32:STANDARD ", "n2d-highmem-32", "STANDARD", "", 0),
        ("", "n1-standard-8", "SPOT", "", 0),
    ],
)
def test_every_part_may_be_left_out(text, machine, provisioning, accelerator, count):
    expected = Compute(machine=machine, provisioning=provisioning, accelerator=accelerator, count=count)
    assert parse_compute(text, OPTION) == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("n1-standard-8:CHEAP", "'CHEAP'"),
        ("n1-standard-8:SPOT:1", "machine:SPOT|STANDARD"),
        ("n1-standard-8+nvidia-tesla-t4:1+nvidia-tesla-t4:1", "machine:SPOT|STANDARD"),
        ("n1-standard-8+nvidia-tesla-t4:three", "'three'"),
        ("n1-standard-8+nvidia-tesla-t4:0", "'0'"),
        ("n1-standard-8+:1", "of no kind"),
        ("big", "'big'"),
        ("n1-standard-8; rm -rf /", "no machine type"),
        ("n1-standard-8+Tesla T4", "'Tesla T4'"),
        ("e2-standard-8+nvidia-tesla-t4", "goes with n1"),
        ("n2-standard-8+nvidia-l4", "no accelerator can be attached"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_option(text, word):
    with pytest.raises(RequestError) as refused:
        parse_compute(text, OPTION)
    assert OPTION in str(refused.value)
    assert word in str(refused.value)


@given(st.text())
def test_any_text_is_a_machine_or_refused(text):
    try:
        compute = parse_compute(text, OPTION)
    except RequestError:
        return
    assert parse_compute(str(compute), OPTION) == compute


def test_the_defaults_are_the_originals():
    assert str(SEGMENT) == "n1-standard-8:SPOT+nvidia-tesla-t4:1"
    assert str(MEASURE) == "n1-standard-8:SPOT"


@pytest.mark.parametrize(
    ("name", "machine"),
    [
        ("n1-standard-8", MachineType(8, 30)),
        ("n1-highmem-4", MachineType(4, 26)),
        ("e2-medium", MachineType(2, 4)),
        ("c2-standard-60", MachineType(60, 240)),
        ("a2-highgpu-2g", MachineType(24, 170)),
        ("n2-custom-6-20480", MachineType(6, 20)),
        ("z9-quantum-3", None),
        ("n1-standard", None),
    ],
)
def test_a_machine_is_known_by_its_name(name, machine):
    assert machine_of(name) == machine


def test_cards_that_come_with_a_machine_are_counted():
    own = {"g2-standard-4": 1, "g2-standard-32": 1, "g2-standard-24": 2, "g2-standard-48": 4, "g2-standard-96": 8}
    counts = own | {"a2-highgpu-1g": 1, "a2-highgpu-4g": 4, "n1-standard-8+nvidia-tesla-t4:2": 2, "n1-standard-8": 0}
    assert {text: parse_compute(text, OPTION).cards for text in counts} == counts


def test_prices_agree_with_known_machines():
    """List prices of whole machines in us-central1, against the table of cores and memory."""
    for text, dollars in {
        "n1-standard-8": 0.38,
        "e2-standard-2": 0.067,
        "g2-standard-8": 0.854,
        "g2-standard-32": 1.734,
        "g2-standard-24": 2.0,
        "c2-standard-8": 0.418,
    }.items():
        assert hourly_price(parse_compute(f"{text}:STANDARD", OPTION)) == pytest.approx(dollars, rel=0.01)
    assert hourly_price(SEGMENT) < hourly_price(parse_compute("+nvidia-tesla-t4:1", OPTION)) * 1.01
    assert hourly_price(parse_compute("z9-quantum-3", OPTION)) is None
    assert hourly_price(parse_compute("n1-standard-8+nvidia-future", OPTION)) is None
