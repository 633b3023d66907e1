"""Rows of measurements are written as number by number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cellscale.cells.text.decimal_rows import decimal_rows
from cellscale.cells.text.decimal_text import decimal_texts


def one_by_one(values, absent, nan=""):
    flat = values.astype(np.float64).ravel()
    texts = decimal_texts(flat, np.full(len(flat), 4, dtype=np.uint8), empty=absent.ravel(), nan=nan)
    words = [bytes(texts.data[texts.offsets[i] : texts.offsets[i + 1]]) for i in range(len(flat))]
    columns = values.shape[1]
    rows = [words[start : start + columns] for start in range(0, len(words), columns)]
    return [b"".join(b"\t" + word for word in row) for row in rows]


def together(values, absent, nan=""):
    texts = decimal_rows(values, absent, nan=nan)
    return [bytes(texts.data[texts.offsets[i] : texts.offsets[i + 1]]) for i in range(len(values))]


@given(
    npst.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 5)), elements=st.floats(width=32)),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["", "NaN"]),
)
def test_any_numbers(values, seed, nan):
    absent = np.random.default_rng(seed).random(values.shape) < 0.3
    assert together(values, absent, nan) == one_by_one(values, absent, nan)


@pytest.mark.parametrize("seed", range(2))
def test_numbers_of_all_sizes_and_halves_of_the_last_decimal(seed):
    random = np.random.default_rng(seed)
    sizes = (10 ** random.uniform(-6, 13, 40_000)).astype(np.float32)
    halves = (random.integers(0, 2**20, 20_000) / 2**5).astype(np.float32)  # 0.03125 has its half at the last decimal
    values = np.concatenate([sizes, -sizes, halves, -halves]).reshape(-1, 8)
    absent = np.zeros(values.shape, dtype=np.bool_)
    assert together(values, absent) == one_by_one(values, absent)
