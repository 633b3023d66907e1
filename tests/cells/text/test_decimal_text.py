"""Numbers as text, against Python's exact formatting."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cellscale.cells.text.decimal_text import centroid_decimals, decimal_texts


def texts(values, decimals=4, nan="", empty=None):
    values = np.asarray(values, dtype=np.float64)
    given_empty = np.zeros(len(values), dtype=bool) if empty is None else np.asarray(empty)
    found = decimal_texts(values, np.full(len(values), decimals, dtype=np.uint8), empty=given_empty, nan=nan)
    data = found.data.tobytes()
    return [data[start:stop].decode() for start, stop in zip(found.offsets[:-1], found.offsets[1:], strict=True)]


def rounded(value, decimals):
    exact = Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


BELOW = st.floats(min_value=-(2.0**53), max_value=2.0**53, exclude_min=True, exclude_max=True)


@given(st.lists(st.one_of(BELOW, st.floats(-10, 10, width=32)), min_size=1), st.integers(0, 4))
@example([0.5, 1.5, 2.5, 0.03125, 0.00005, 0.99995, -0.0, -1e-9, 5e-324, 2.0**53 - 1], 4)
@example([0.5, 1.5, 2.5, -0.5, 0.0], 0)
def test_numbers_are_rounded_half_to_even_from_their_exact_value(values, decimals):
    assert texts(values, decimals) == [rounded(value, decimals) for value in values]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 40)), min_size=1), st.integers(0, 4))
def test_ties_go_to_the_even_neighbour(fractions, decimals):
    values = [number / 2**power for number, power in fractions]
    assert texts(values, decimals) == [rounded(value, decimals) for value in values]


def test_large_numbers_have_java_digits():
    values = [2.0**53, -(2.0**60), 3.4028234663852886e38, 1e16]
    expected = [
        "9007199254740992",
        "-1152921504606847000",
        "340282346638528860000000000000000000000",
        "10000000000000000",
    ]
    assert texts(values) == expected


def test_words_for_what_is_no_number():
    assert texts([np.nan, np.inf, -np.inf, 1]) == ["", "∞", "-∞", "1"]
    assert texts([np.nan, 2.0**53, 1], nan="NaN", empty=[False, True, True]) == ["NaN", "", ""]


@pytest.mark.parametrize(
    ("value", "decimals"), [(0.5, 4), (1, 4), (1.1, 3), (10, 3), (10.1, 2), (1000, 2), (1000.1, 1)]
)
def test_centroids_have_fewer_decimals_the_larger_they_are(value, decimals):
    assert centroid_decimals(np.array([value])).tolist() == [decimals]
