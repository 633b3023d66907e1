"""The budget bounds workers by memory."""

import numpy as np
import pytest

from cellscale.errors import ImageError, RequestError
from cellscale.images.info import ImageInfo
from cellscale.pipeline.budget import FIXED, PER_WORKER, Budget, side_by_side


def test_memory_bounds_the_number_of_workers():
    assert Budget.choose(8, FIXED + 3 * PER_WORKER + 1).workers == 3


def test_workers_asked_for_are_kept_where_memory_allows():
    assert Budget.choose(2, 100 * PER_WORKER).workers == 2


def test_too_little_memory_is_refused_with_the_amount_needed():
    with pytest.raises(RequestError, match=r"--max_memory is 0\.50 GB.*1\.32 GB"):
        Budget.choose(None, 500_000_000)


def test_what_is_decoded_whole_has_to_fit():
    info = ImageInfo(
        name="wide", uri=None, height=1, width=1, dtype=np.dtype("u1"), channels=(), decoding_bytes=2 * 10**9
    )
    Budget(1, FIXED + 2 * 10**9).require_room(info)
    with pytest.raises(ImageError, match=r"wide.* 2\.00 GB found.* 3\.10 GB of memory are needed, 3\.09 GB"):
        Budget(1, FIXED + 2 * 10**9 - 10**7).require_room(info)


def test_no_workers_are_refused():
    with pytest.raises(RequestError, match="--workers is 0"):
        Budget.choose(0, None)


def test_without_wishes_the_machine_decides():
    budget = Budget.choose()
    assert budget.workers >= 1
    assert budget.memory >= FIXED + PER_WORKER


def test_parts_of_a_budget_are_no_more_than_the_whole():
    whole = Budget.choose(8, FIXED + 9 * PER_WORKER)
    part = whole.part(2)
    assert (part.workers, part.run_workers, whole.run_workers) == (2, 8, 8)
    assert part.memory >= FIXED + 2 * PER_WORKER
    assert 4 * (part.memory - FIXED) <= whole.memory - FIXED
    assert part.pixels_alone <= whole.pixels_alone


def test_so_many_images_side_by_side_as_have_a_block_for_each_worker():
    assert [side_by_side(side * side, 8) for side in (1, 512, 1024, 1025, 2048, 4096)] == [8, 8, 8, 4, 2, 1]
    assert side_by_side(512 * 512, 1) == 1
