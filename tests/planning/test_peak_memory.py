from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.pipeline.budget import FIXED, side_by_side
from cellscale.planning.peak_memory import peak_memory
from cellscale.planning.run_estimate import MachinePool, PlannedWork, estimate
from cellscale.records.fit_rates import learn, size_of
from cellscale.records.shipped_rates import shipped_rows
from tests.planning.made_up import made_up_row

MEASURED = {
    (64, 20): {1: 0.712, 2: 0.759, 4: 0.812, 8: 0.941},
    (300, 20): {1: 0.733, 2: 0.820, 4: 0.925, 8: 1.016},
    (512, 2): {1: 0.750, 2: 0.863, 4: 0.900, 8: 1.003},
}
"""GB by workers that runs on two cores took, by the pixels a side and the number of their images."""
FROM_OTHER_WORKERS = [
    (side, count, known, asked)
    for (side, count), peaks in MEASURED.items()
    for known, asked in product(peaks, peaks)
    if known != asked
]


def beside(side, workers, count):
    return min(side_by_side(side * side, workers), count)


def record(side, workers, count, peak):
    return made_up_row(side, beside=beside(side, workers, count), workers=workers, peak_memory_gb=peak)


@pytest.mark.parametrize(("side", "count", "known", "asked"), FROM_OTHER_WORKERS)
def test_runs_over_small_images_say_what_others_with_more_or_fewer_workers_take(side, count, known, asked):
    row = record(side, known, count, MEASURED[side, count][known])
    found = peak_memory(size_of(row), learn([row], "a test"), asked, beside(side, asked, count))
    assert found / 1e9 == pytest.approx(MEASURED[side, count][asked], rel=0.12)


def test_runs_with_many_workers_do_not_make_those_with_fewer_seem_to_need_nothing():
    rows = [record(300, 8, 20, 1.016)] * 20
    crew = MachinePool(machines=1, cores=2, memory=8e9, same_machine=True)
    found = estimate([size_of(row) for row in rows], learn(rows, "a test"), crew, PlannedWork())
    assert found.workers == 2
    assert found.memory.value > 1.2 * FIXED / 2  # that is the least that is ever said


@pytest.mark.parametrize(("side", "count"), [(64, 2), (64, 20), (300, 2), (300, 20), (512, 2), (512, 20), (1024, 8)])
def test_what_cellscale_ships_with_is_a_little_more_than_small_images_take(side, count):
    measured = {(64, 2): 0.728, (300, 2): 0.770, (512, 20): 0.891, (1024, 8): 0.968}
    peak = measured.get((side, count)) or MEASURED[side, count][2]
    found = peak_memory(size_of(made_up_row(side)), learn(shipped_rows(), "cellscale"), 2, beside(side, 2, count))
    assert 1 <= found / 1e9 / peak < 1.15


@given(st.integers(16, 40_000), st.integers(1, 64), st.integers(1, 100))
def test_more_workers_and_more_images_never_take_less(side, workers, count):
    rates = learn(shipped_rows(), "cellscale")
    size = size_of(made_up_row(side))
    found = [
        peak_memory(size, rates, more, beside(side, more, images))
        for more, images in ((workers, count), (workers, count + 1), (workers + 1, count + 1))
    ]
    assert all(one <= other for one, other in pairwise(found))


def test_an_image_takes_workers_for_no_more_blocks_than_it_has():
    rates = learn(shipped_rows(), "cellscale")
    small, large = (size_of(made_up_row(side)) for side in (512, 16_384))
    few, many = (peak_memory(small, rates, workers, 1) for workers in (2, 32))
    assert many - few < 1.5e9
    few, many = (peak_memory(large, rates, workers, 1) for workers in (2, 32))
    assert many - few == pytest.approx(30 * 220e6)
