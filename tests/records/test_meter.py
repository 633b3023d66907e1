"""The meter sees the time and the memory of what runs in it."""

import time

import numpy as np

from cellscale.records.meter import Meter


def test_memory_that_is_taken_and_given_back_is_seen():
    with Meter() as outer:
        with Meter() as before:
            pass
        with Meter() as inner:
            block = np.ones(40_000_000)
            time.sleep(0.15)
            del block
    assert inner.peak_memory > before.peak_memory + 200_000_000
    assert outer.peak_memory >= inner.peak_memory


def test_time_is_wall_time():
    with Meter() as meter:
        time.sleep(0.1)
    assert 0.1 <= meter.seconds < 5
