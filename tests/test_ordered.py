"""Work done a few items ahead keeps its order, its bounds and its errors."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cellscale.ordered import Turns, in_order


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    def slow_for_early_items(item):
        time.sleep(0.01 * (5 - item % 6))
        return item * item

    assert list(in_order(slow_for_early_items, range(20), workers)) == [item * item for item in range(20)]


def test_only_a_bounded_number_of_results_waits_for_a_slow_consumer():
    started = []
    for result in in_order(lambda item: started.append(item) or item, range(50), 2):
        time.sleep(0.005)
        assert len(started) <= result + 1 + 4 + 1


def test_an_error_in_one_item_is_raised_and_the_rest_is_not_started():
    started = []
    before = threading.active_count()

    def fail_at_three(item):
        started.append(item)
        if item == 3:
            raise ValueError("three")
        time.sleep(0.01)

    with pytest.raises(ValueError, match="three"):
        list(in_order(fail_at_three, range(1000), 2))
    assert len(started) < 20
    assert threading.active_count() <= before


def test_turns_are_had_in_order_whoever_comes_first():
    turns, had = Turns("abcd"), []

    def work(name):
        turns.wait(name)
        had.append(name)
        turns.end(name)
        turns.end(name)

    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(work, name) for name in "dba"]
        turns.end("c")  # does without
        for one in waiting:
            one.result(10)
    assert had == ["a", "b", "d"]


def test_a_turn_that_will_not_come_is_an_error_and_one_that_has_come_is_none():
    turns = Turns("abc")
    turns.end("a")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(turns.wait, "c")
        turns.give_up(KeyError("why"))
        with pytest.raises(KeyError, match="why"):
            waiting.result(10)
    turns.wait("b")


def test_a_turn_has_come_when_all_before_it_are_over():
    turns = Turns("abc")
    assert [turns.has_come(name) for name in "abc"] == [True, False, False]
    turns.end("b")
    assert not turns.has_come("b")
    turns.end("a")
    assert [turns.has_come(name) for name in "abc"] == [True, True, True]
