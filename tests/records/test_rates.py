from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.records.fit_rates import learn, size_of
from cellscale.records.rates import ImageSize, Prediction
from cellscale.records.shipped_rates import shipped_rows
from tests.planning.made_up import KNOWN, SHARE, made_up_row, made_up_rows


@pytest.fixture(scope="module")
def rates():
    return learn(made_up_rows(), "a test")


def test_the_rates_of_a_known_machine_are_found():
    again = [made_up_row(side, 8, loading=0.0) for side in (600, 1000, 1400)]
    rates = learn([*made_up_rows(), *again], "a test")
    found = {name: getattr(rates, name) for name in KNOWN}
    assert found == pytest.approx(KNOWN, rel=1e-6)
    assert (rates.machine, rates.cores, rates.images, rates.disturbed) == ("Known", 2, 11, False)
    assert (rates.loading, rates.share) == pytest.approx((1.5, SHARE))
    assert rates.output_bytes == pytest.approx(6.0)


@pytest.mark.parametrize(("side", "channels"), [(700, 4), (1536, 8), (4096, 4), (16384, 12)])
def test_other_images_are_predicted_within_a_tenth_from_noisy_records(side, channels):
    noisy = learn(made_up_rows(noise=0.05), "a test")
    row = made_up_row(side, channels)
    assert noisy.time(size_of(row), 2) + noisy.loading == pytest.approx(row["total_time_s"], rel=0.1)
    assert noisy.peak_memory(size_of(row)) == pytest.approx(row["peak_memory_gb"] * 1e9, rel=0.15)


def test_a_run_that_something_disturbed_hardly_counts(rates):
    disturbed = made_up_row(1024, 8, total_time_s=300.0)
    found = learn([*made_up_rows(), disturbed], "a test")
    size = size_of(disturbed)
    assert found.time(size, 2) == pytest.approx(rates.time(size, 2), rel=0.05)
    assert found.spread < 0.1


def test_where_all_runs_were_disturbed_the_work_is_known_but_less_is_certain(rates):
    rows = [row | {"total_time_s": row["total_time_s"] * 5} for row in made_up_rows()]
    found = learn(rows, "a test")
    size = size_of(rows[-1])
    assert found.disturbed
    assert found.work(size) == pytest.approx(rates.work(size))
    assert found.time(size, 2) == pytest.approx(rates.time(size, 2), rel=0.2)
    assert found.spread > rates.spread


def test_the_stated_error_grows_with_that_of_the_records(rates):
    noisy = learn(made_up_rows(noise=0.3), "a test")
    assert 0 < rates.spread < 0.06
    assert 0.1 < noisy.spread < 0.6


def test_few_records_and_another_machine_are_less_certain(rates):
    few = learn(made_up_rows(sides=(512, 1024), channels=(4,)), "a test")
    assert few.spread >= 0.25
    assert rates.spread_on(same_machine=False) > 0.3 > rates.spread_on(same_machine=True)


@pytest.mark.parametrize(
    "values",
    [
        {"success": False},
        {"resumed": True},
        {"device": "cuda"},
        {"precision": "bf16"},
        {"compartment": "nuclear"},
        {"measurement_processor_time_s": None},
        {"engine": "dask"},
        {"height_px": None},
        {"total_time_s": None},
    ],
)
def test_records_that_tell_nothing_are_left_out(values):
    assert learn([made_up_row(512, **values)], "a test") is None
    assert learn([made_up_row(512, **values), made_up_row(1024)], "a test").images == 1


def test_the_machine_that_most_records_are_from_counts():
    rows = [*made_up_rows(), *(row | {"cpu": "Other"} for row in made_up_rows(sides=(512,)))]
    assert learn(rows, "a test").machine == "Known"


def test_without_records_there_are_no_rates():
    assert learn([], "a test") is None


def test_cards_take_the_network_from_the_cores(rates):
    size = size_of(made_up_row(4096))
    alone, helped = rates.segmenting(size, 8), rates.segmenting(size, 8, tile_seconds=0.003)
    assert helped < alone
    # Labelling hides behind a slow card.
    assert rates.segmenting(size, 8, tile_seconds=10.0) > 10.0 * size.tiles


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 64), st.integers(1, 60))
def test_more_work_never_takes_less_and_more_cores_never_more(one, other, cores, channels):
    rates = learn(made_up_rows(), "a test")
    small, large = sorted((one, other))
    sizes = [
        ImageSize(pixels=pixels, network_pixels=pixels, tiles=pixels // 192**2 + 1, channels=channels)
        for pixels in (small, large)
    ]
    assert rates.time(sizes[0], cores) <= rates.time(sizes[1], cores)
    assert rates.time(sizes[0], cores + 1) <= rates.time(sizes[0], cores)
    assert rates.peak_memory(sizes[0]) <= rates.peak_memory(sizes[1])
    assert rates.time(replace(sizes[0], channels=channels + 1), cores) >= rates.time(sizes[0], cores)


def test_an_interval_holds_nine_of_ten_and_is_even_in_ratio():
    low, high = Prediction(100.0, 0.2).interval
    assert high / 100 == pytest.approx(100 / low)
    assert high == pytest.approx(100 * 2.718281828 ** (1.6449 * 0.2), rel=1e-4)


def test_every_shipped_record_is_predicted_from_the_others():
    """Processor time, since the records may have been made while other programs took the cores; and memory."""
    rows = shipped_rows()
    for left_out in rows:
        rates = learn([row for row in rows if row is not left_out], "the others")
        size = size_of(left_out)
        assert rates.work(size) + rates.loading == pytest.approx(left_out["total_processor_time_s"], rel=0.2)
        assert rates.peak_memory(size) == pytest.approx(left_out["peak_memory_gb"] * 1e9, rel=0.2)


def test_records_of_images_side_by_side_say_the_same_of_a_machine(rates):
    small = [made_up_row(side, 8, loading=0.0, beside=count) for side in (300, 400, 500) for count in (1, 2)]
    found = learn([*made_up_rows(), *small], "a test")
    assert (found.share, found.start) == pytest.approx((SHARE, KNOWN["start"]))
    assert found.spread == pytest.approx(rates.spread, abs=0.01)
    assert found.time(size_of(small[1]), 2, 2) == pytest.approx(small[1]["total_time_s"], rel=0.01)


def test_what_a_run_took_is_the_most_that_any_of_its_images_found():
    peaks = {"one": (0.70, 0.75, 0.78), "other": (0.71, 0.80)}
    rows = [made_up_row(300, run=run, peak_memory_gb=peak) for run, found in peaks.items() for peak in found]
    assert learn(rows, "a test").peak_memory(size_of(rows[0])) == pytest.approx(0.79e9)


def test_images_side_by_side_take_what_one_of_all_their_pixels_does():
    rates = learn(made_up_rows(), "a test")
    small, large = size_of(made_up_row(1024)), size_of(made_up_row(2048))
    assert rates.peak_memory(small, 4) == pytest.approx(rates.peak_memory(large))
