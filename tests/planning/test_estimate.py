import math
from dataclasses import replace
from random import Random
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellscale.engines.batch.compute import parse_compute
from cellscale.engines.batch.prices import hourly_price
from cellscale.errors import RequestError
from cellscale.images.info import Channel, ImageInfo, PixelSize
from cellscale.pipeline.budget import Budget, side_by_side
from cellscale.planning.crews import CANDIDATES, own_crew, rented_crew
from cellscale.planning.image_sizes import image_size
from cellscale.planning.rented import compare
from cellscale.planning.run_estimate import ENDING, PROGRAM, MachinePool, PlannedWork, estimate
from cellscale.records.fit_rates import learn, size_of
from cellscale.records.machine import Machine
from cellscale.records.shipped_rates import shipped_rows
from tests.planning.made_up import SHARE, made_up_row, made_up_rows

HERE = Machine(cpu="Known", cores=2, memory=16_000_000_000)


@pytest.fixture(scope="module")
def rates():
    return learn(made_up_rows(), "a test")


@pytest.fixture
def sizes():
    return [size_of(made_up_row(side)) for side in (1024, 2048, 2048, 4096)]


def crew(**facts):
    return MachinePool(**{"machines": 1, "cores": 2, "memory": 8e9, "same_machine": True, **facts})


def around(images):
    """Return what a run takes before the first image and after the last one."""
    return PROGRAM + ENDING * images / (2 * SHARE)


def beside(size, cores=2):
    """Return how many images of a size go side by side."""
    return side_by_side(size.network_pixels, cores)


def test_one_machine_takes_large_images_one_after_another_and_small_ones_side_by_side(rates, sizes):
    found = estimate(sizes, rates, crew(), PlannedWork())
    assert [beside(size) for size in sizes] == [2, 1, 1, 1]
    images = sum(rates.time(size, 2, beside(size)) for size in sizes) + rates.loading
    assert images < sum(rates.time(size, 2) for size in sizes) + rates.loading
    assert found.time.value == pytest.approx(images + around(len(sizes)))
    assert found.machine_hours.value * 3600 == pytest.approx(found.time.value)
    assert found.dollars is None


def test_machines_share_images_but_no_image(rates, sizes):
    longest = rates.time(sizes[-1], 2) + rates.loading + around(len(sizes))
    assert estimate(sizes, rates, crew(machines=100), PlannedWork()).time.value == pytest.approx(longest)
    many = sizes[:1] * 1000
    one, ten = (estimate(many, rates, crew(machines=machines), PlannedWork()).time.value for machines in (1, 10))
    assert ten - around(1000) == pytest.approx((one - around(1000)) / 10, rel=0.05)


def test_parts_of_the_work_take_their_part(rates, sizes):
    both, masks, tables = (
        estimate(sizes, rates, crew(), work).time.value
        for work in (PlannedWork(), PlannedWork(measure=False), PlannedWork(segment=False))
    )
    assert masks < both
    assert tables < both
    starts = sum(rates.start / beside(size) for size in sizes)
    assert masks + tables == pytest.approx(both + starts + around(len(sizes)))


@given(side=st.integers(64, 512), count=st.integers(100, 3000), seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_many_small_images_take_what_a_few_of_them_took_each(side, count, seed):
    chance = Random(seed)
    rows = [
        made_up_row(side, noise=0.1, chance=chance, loading=0.0 if index else 1.5, beside=2) for index in range(100)
    ]
    found = estimate([size_of(rows[0])] * count, learn(rows[:30], "a test"), crew(), PlannedWork())
    each = mean(row["total_time_s"] for row in rows[1:])
    assert found.time.value == pytest.approx(each * count + 1.5 + around(count), rel=0.3)


def test_what_a_run_over_small_images_took_is_predicted_without_records_of_any():
    """On the machine of the records, by processor time: 40 images of 256 x 256 took 28 seconds in one run."""
    rates = learn(shipped_rows(), "shipped")
    assert all(row["height_px"] >= 512 for row in shipped_rows())
    info = ImageInfo("small", None, 256, 256, np.dtype(np.uint16), (Channel(0, "DAPI"),) * 4, PixelSize(0.5, 0.5))
    images = 40 * rates.work(image_size(info)) + rates.loading
    assert images + PROGRAM + 40 * ENDING == pytest.approx(28, rel=0.3)


@pytest.mark.parametrize("memory", [1.4e9, 1.6e9, 3e9, 30e9])
def test_workers_are_those_that_a_run_will_choose(rates, sizes, memory):
    found = estimate(sizes, rates, crew(memory=memory, cores=8), PlannedWork(workers=8))
    assert found.workers == Budget.choose(8, int(memory)).workers


def test_more_workers_take_more_memory(rates, sizes):
    two, eight = (estimate(sizes, rates, crew(cores=cores), PlannedWork()).memory.value for cores in (2, 8))
    assert two < eight


def test_what_is_decoded_whole_comes_on_top(rates, sizes):
    whole = [replace(size, decoding_bytes=2 * 10**9) if index == 1 else size for index, size in enumerate(sizes)]
    plain, found = (estimate(some, rates, crew(), PlannedWork()).memory.value for some in (sizes, whole))
    assert found > 2e9 > plain


def test_disk_goes_by_the_largest_image_and_outputs_by_all(rates, sizes):
    found = estimate(sizes, rates, crew(), PlannedWork())
    largest = sizes[-1]
    # Four float32 maps of every tile, and the labels of two compartments.
    assert found.scratch == largest.tiles * 2**20 + largest.pixels * 8
    assert found.outputs == pytest.approx(6 * sum(size.pixels for size in sizes))


def test_disk_is_for_the_tiles_that_are_there_at_a_time(rates):
    info = ImageInfo("large", None, 32_768, 32_768, np.dtype(np.uint16), (Channel(0, "DAPI"),), PixelSize(0.5, 0.5))
    found = estimate([image_size(info)], rates, crew(), PlannedWork())
    # Eight rows of groups of 4 x 4 tiles, 192 pixels from one to the next.
    assert found.scratch == 8 * math.ceil(32_768 / 192 / 4) * 16 * 2**20 + 32_768**2 * 8
    small = replace(info, width=700, height=700)
    assert image_size(small).held_bytes == image_size(small).tiles * 2**20


def test_spot_machines_cost_less_and_take_a_little_longer(rates, sizes):
    spot, standard = (
        estimate(sizes, rates, rented_crew(parse_compute(f"n2-standard-8:{kind}", "--machine"), 2), PlannedWork())
        for kind in ("SPOT", "STANDARD")
    )
    assert spot.dollars.value < standard.dollars.value
    assert standard.time.value < spot.time.value < 1.1 * standard.time.value


def test_cost_is_the_price_of_the_hours(rates, sizes):
    compute = parse_compute("n2-standard-8:STANDARD", "--machine")
    found = estimate(sizes, rates, rented_crew(compute, 1), PlannedWork())
    assert found.dollars.value == pytest.approx(found.machine_hours.value * hourly_price(compute), rel=0.05)


def test_a_machine_of_one_s_own_is_named_by_cores_and_memory(rates):
    assert own_crew(None, 1, HERE, rates, 4_000_000_000) == crew(memory=4_000_000_000)
    assert not own_crew(None, 1, replace(HERE, cpu="Other"), rates).same_machine
    large = own_crew("64x256GB", 3, HERE, rates)
    assert (large.machines, large.cores, large.memory, large.same_machine) == (3, 64, 128e9, False)
    assert own_crew("n2-standard-16", 1, HERE, rates).cores == 16


@pytest.mark.parametrize("text", ["", "64", "0x16GB", "x", "64x256"])
def test_another_machine_is_refused(rates, text):
    with pytest.raises(RequestError, match=r"--machine is .*expected cores and memory, as in 64x256GB"):
        own_crew(text, 1, HERE, rates)


def test_kinds_of_machines_are_compared_the_cheapest_first(rates, sizes):
    options = compare(sizes, rates, CANDIDATES, None, 2)
    dollars = [option.dollars.value for option in options]
    assert len(options) == len(CANDIDATES)
    assert dollars == sorted(dollars)
    low, high = options[0].dollars.interval
    assert low < dollars[0] < high


def test_a_card_that_was_measured_counts_as_it_was(rates, sizes):
    compute = parse_compute("n1-standard-8:SPOT+nvidia-tesla-t4:1", "--machine")
    measured = made_up_row(
        2048, device="cuda", prediction_gpu_type="Tesla T4", prediction_num_gpus=1, prediction_time_s=2048**2 / 192**2
    )
    by_sheet, by_records = rented_crew(compute, 1), rented_crew(compute, 1, [measured])
    assert (by_sheet.card_measured, by_records.card_measured) == (False, True)
    assert by_records.tile_seconds == pytest.approx(1.0)
    assert (
        estimate(sizes, rates, by_sheet, PlannedWork()).time.spread
        > estimate(sizes, rates, by_records, PlannedWork()).time.spread
    )


def test_an_unknown_machine_says_so():
    with pytest.raises(RequestError, match="nothing is known of the cores"):
        rented_crew(parse_compute("z9-strange-x", "--machine"), 1)
