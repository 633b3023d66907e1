from contextlib import ExitStack
from threading import Event, Thread

import pytest

from cellscale.engines.flow import Need
from cellscale.engines.flow.slots import WAITING, Slots
from cellscale.pipeline.budget import FIXED, PER_WORKER, Budget
from tests.patience import wait_for

ONE = Need(1, PER_WORKER, 0)
WORKERS = 2


@pytest.fixture
def slots():
    return Slots(Budget(WORKERS, FIXED + 10 * PER_WORKER))


class Taking(Thread):
    """Takes a part in a thread of its own, and says when it has got it."""

    def __init__(self, slots, name, need=ONE):
        super().__init__(daemon=True)
        self.has_it = Event()
        self._arguments = slots, name, need
        self.start()

    def run(self):
        slots, name, need = self._arguments
        slots.take(name, need)
        self.has_it.set()


class Resting(Thread):
    """Rests in a thread of its own until told to go on, and says when it does."""

    def __init__(self, slots, name):
        super().__init__(daemon=True)
        self.rests, self.turn, self.goes_on = Event(), Event(), Event()
        self._slots, self._name = slots, name
        self.start()
        assert self.rests.wait(10)

    def run(self):
        with self._slots.resting(self._name):
            self.rests.set()
            self.turn.wait(10)
        self.goes_on.set()


def test_an_image_begins_where_another_rests_or_ends(slots):
    slots.take("a", ONE)
    slots.take("b", ONE)
    third = Taking(slots, "c")
    assert not third.has_it.wait(0.05)
    Resting(slots, "b")
    assert third.has_it.wait(10)
    fourth = Taking(slots, "d")
    assert not fourth.has_it.wait(0.05)
    slots.leave("a")
    assert fourth.has_it.wait(10)


def test_an_image_that_goes_on_comes_before_one_that_has_not_begun(slots):
    slots.take("a", ONE)
    slots.take("b", ONE)
    rested = Resting(slots, "b")
    slots.take("c", ONE)
    rested.turn.set()
    assert not rested.goes_on.wait(0.05)
    new = Taking(slots, "d")
    slots.leave("c")
    assert rested.goes_on.wait(10)
    assert not new.has_it.wait(0.05)


def test_only_so_many_images_begin_however_many_rest(slots):
    names = [f"{number}" for number in range(WORKERS + WAITING)]
    for name in names:
        slots.take(name, ONE)
        Resting(slots, name)
    more = Taking(slots, "more")
    assert not more.has_it.wait(0.05)


def test_what_images_hold_while_they_rest_counts():
    slots = Slots(Budget(WORKERS, FIXED + 2 * PER_WORKER))
    large = Need(1, PER_WORKER + 120_000_000, 120_000_000)
    slots.take("a", large)
    Resting(slots, "a")
    slots.take("b", ONE)
    Resting(slots, "b")
    slots.take("c", large)
    Resting(slots, "c")
    more = Taking(slots, "more", large)
    assert not more.has_it.wait(0.05)


def test_an_image_goes_on_where_none_is_at_work_whatever_others_hold():
    slots = Slots(Budget(WORKERS, FIXED + 2 * PER_WORKER))
    with ExitStack() as stack:
        rested = []
        for name in "abc":
            slots.take(name, Need(1, PER_WORKER, 100_000_000))
            rested.append(Resting(slots, name))
        for one in rested:
            stack.callback(one.turn.set)
        rested[0].turn.set()
        assert rested[0].goes_on.wait(10)


def test_none_waits_any_more_once_the_run_is_given_up(slots):
    slots.take("a", ONE)
    slots.take("b", ONE)
    rested, new = Resting(slots, "b"), Taking(slots, "c")
    assert new.has_it.wait(10)
    rested.turn.set()
    waiting = Taking(slots, "d")
    slots.give_up()
    wait_for(lambda: rested.goes_on.is_set() and waiting.has_it.is_set())
