"""Work done a few items ahead keeps its order, its bounds and its errors."""

import threading
import time

import pytest

from cellscale.ordered import in_order


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
