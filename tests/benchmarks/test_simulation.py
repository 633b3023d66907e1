import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulation import Fleet, Job, simulate


def jobs(*seconds, **facts):
    return [Job(seconds=duration, **facts) for duration in seconds]


def test_one_machine_does_one_job_after_another():
    found = simulate(jobs(3, 5, 2), Fleet(machines=1, start=10))
    assert (found.seconds, found.machine_seconds, found.done, found.failed) == (20, 20, 3, 0)


def test_the_machine_that_is_free_first_takes_the_next_job():
    # 0-8 on one; 0-3, 3-5, 5-9 on the other.
    assert simulate(jobs(8, 3, 2, 4), Fleet(machines=2)).seconds == 9


def test_more_machines_than_jobs_stay_unrented():
    found = simulate(jobs(4, 4), Fleet(machines=100, start=5))
    assert (found.seconds, found.machine_seconds) == (9, 18)


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=40), st.integers(1, 12))
def test_no_schedule_is_better_than_shared_work_or_worse_than_graham_s_bound(seconds, machines):
    """R. L. Graham, Bounds for certain multiprocessing anomalies, 1966."""
    found = simulate(jobs(*seconds), Fleet(machines=machines)).seconds
    assert sum(seconds) / machines <= found + 1e-9
    assert max(seconds) <= found + 1e-9
    assert found <= sum(seconds) / machines + (1 - 1 / machines) * max(seconds) + 1e-9


def test_losses_come_as_often_as_they_are_said_to_and_all_is_done_in_the_end():
    fleet = Fleet(machines=50, start=100, losses_per_hour=0.5, kept_every=60, retries=1000)
    found = simulate(jobs(*[1800] * 2000), fleet, seed=1)
    working_hours = (2000 * 1800 + found.losses * 30) / 3600
    assert found.done == 2000
    assert found.losses == pytest.approx(0.5 * working_hours, rel=0.1)
    # Half of the time between two units that are kept, and the start of another machine.
    assert found.lost_seconds == pytest.approx(found.losses * (30 + 100), rel=0.05)
    assert found.machine_seconds == pytest.approx(2000 * 1800 + found.lost_seconds + 50 * 100, rel=0.001)


def test_without_kept_units_a_lost_job_begins_anew():
    fleet = Fleet(machines=1, losses_per_hour=3600 / 100, kept_every=1e9, retries=10**6)
    found = simulate(jobs(*[200] * 300), fleet, seed=2)
    assert found.done == 300
    # Work of length w that a loss at the rate r undoes takes (exp(r w) - 1) / r on average.
    assert found.seconds / 300 == pytest.approx(100 * (math.exp(2) - 1), rel=0.2)


def test_a_job_that_is_lost_too_often_fails():
    fleet = Fleet(machines=1, losses_per_hour=3600, kept_every=1e9, retries=3)
    found = simulate(jobs(1e6, 0.001), fleet)
    assert (found.failed, found.done, found.losses) == (1, 1, 4)


def test_the_same_seed_gives_the_same_outcome():
    fleet = Fleet(machines=3, losses_per_hour=5)
    work = jobs(*[300] * 50)
    assert simulate(work, fleet, 7) == simulate(work, fleet, 7)
    assert simulate(work, fleet, 7) != simulate(work, fleet, 8)


def test_a_narrow_store_slows_everybody():
    work = jobs(*[10] * 8, read_bytes=1000)
    wide, narrow = Fleet(machines=4, bandwidth=400), Fleet(machines=4, bandwidth=200)
    assert simulate(work, wide).seconds == 20
    assert simulate(work, narrow).seconds == 40
    assert simulate(work, replace(narrow, machines=2)).seconds == 40


def test_requests_bytes_and_events_add_up():
    found = simulate(jobs(1, 1, 1, read_bytes=5, written_bytes=2, reads=7, writes=3), Fleet(machines=3))
    assert (found.read_bytes, found.written_bytes, found.reads, found.writes) == (15, 6, 21, 9)
    assert (found.events, found.busiest) == (6, 3)
