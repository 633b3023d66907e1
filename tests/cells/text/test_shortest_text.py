"""Numbers are written with the fewest digits, as Arrow does it."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cellscale.cells.text.outline_json import measurement_texts


def texts(values):
    found = measurement_texts([""], values[:, None], np.zeros((len(values), 1), dtype=np.bool_))
    data = bytes(found.data)
    return [data[start:stop].removeprefix(b'"":').decode() for start, stop in pairwise(found.offsets)]


def expected(values):
    return [text.as_py() or "" for text in pa.array(values, mask=~np.isfinite(values)).cast(pa.string())]


@given(npst.arrays(np.float32, st.integers(1, 50), elements=st.floats(width=32)))
def test_any_number(values):
    assert texts(values) == expected(values)


@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_thousand_numbers_of_all_sizes(seed):
    random = np.random.default_rng(seed)
    bits = random.integers(0, 2**32, 40_000, dtype=np.uint32).view(np.float32)
    sizes = (10 ** random.uniform(-4, 11, 60_000)).astype(np.float32)
    rounded = np.round(random.uniform(0, 70_000, 30_000), 1).astype(np.float32)
    values = np.concatenate(
        [bits, sizes, -sizes[:100], rounded, np.arange(2**24 - 500, 2**24 + 500, dtype=np.float32)]
    )
    assert texts(values) == expected(values)


@pytest.mark.parametrize("exponent", range(-11, 34))
def test_the_neighbours_of_powers_of_two(exponent):
    power = np.float32(2.0**exponent)
    values = np.array([np.nextafter(power, np.float32(0)), power, np.nextafter(power, np.float32(np.inf))])
    assert texts(values) == expected(values)
