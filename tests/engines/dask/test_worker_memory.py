import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.engines.dask.worker_memory import KEPT, least_memory, share_of
from cellscale.errors import RequestError
from cellscale.pipeline.budget import FIXED


@given(tasks=st.integers(1, 64), spare=st.integers(0, 10**11), threads=st.integers(1, 64))
def test_tasks_of_a_worker_stay_together_under_its_limit(tasks, spare, threads):
    limit = least_memory(tasks) + spare
    budget = share_of(limit, tasks, threads)
    assert FIXED + tasks * (budget.memory - FIXED) <= KEPT * limit
    assert 1 <= budget.workers <= threads


@given(tasks=st.integers(1, 64))
def test_a_worker_with_less_than_the_least_memory_is_refused(tasks):
    share_of(least_memory(tasks), tasks, 1)
    with pytest.raises(RequestError, match=rf"with {tasks} threads, at least \d+\.\d GB are needed"):
        share_of(int(least_memory(tasks) * 0.98), tasks, 1)


def test_a_worker_without_a_limit_takes_its_share_of_the_machine():
    assert share_of(None, 1, 1).memory > FIXED
