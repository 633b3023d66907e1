"""The time of a process is divided among what goes on in it, and nothing of it is counted twice."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.records.meter import Meter
from cellscale.records.shared_clock import SharedClock


class Clocks:
    """Two clocks that move when told."""

    def __init__(self):
        self.now = 100.0
        self.shared = SharedClock(lambda: self.now, lambda: 2 * self.now)


@pytest.fixture
def clocks():
    return Clocks()


def test_what_is_alone_gets_all(clocks):
    with clocks.shared.sharing() as share:
        clocks.now += 3
        assert share.read() == (3, 6)
    clocks.now += 5
    assert share.read() == (3, 6)
    assert share.most == 1


def test_what_goes_on_side_by_side_gets_even_parts(clocks):
    with clocks.shared.sharing() as first:
        clocks.now += 1
        with clocks.shared.sharing() as second:
            clocks.now += 4
            assert (first.read(), second.read()) == ((3, 6), (2, 4))
        clocks.now += 1
    assert (first.seconds, second.seconds) == (4, 2)
    assert (first.most, second.most) == (2, 2)


def test_what_waits_for_others_gets_nothing(clocks):
    with clocks.shared.sharing() as first, clocks.shared.sharing() as second:
        with first.waiting():
            clocks.now += 2
        clocks.now += 2
    assert (first.seconds, second.seconds) == (1, 3)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10)), max_size=40))
def test_the_parts_add_up_to_the_time_in_which_anything_went_on(steps):
    clocks, running, ended, worked = Clocks(), {}, [], 0
    for which, seconds in steps:
        if which in running:
            clocks.shared.end(running[which])
            ended.append(running.pop(which))
        else:
            running[which] = clocks.shared.begin()
        clocks.now += seconds
        worked += seconds if running else 0
    shares = [*ended, *running.values()]
    assert sum(share.read()[0] for share in shares) == pytest.approx(worked)
    assert sum(share.processor_seconds for share in shares) == pytest.approx(2 * worked)


def test_meters_of_stages_count_the_share_of_their_work():
    shared = SharedClock()
    with shared.sharing() as mine, shared.sharing() as other, Meter(mine) as whole:
        with Meter(mine) as stage:
            time.sleep(0.1)
        with Meter(other) as others:
            time.sleep(0.1)
    assert stage.seconds + others.seconds == pytest.approx(whole.seconds, abs=0.05)
    assert 0.1 <= whole.seconds < 2
