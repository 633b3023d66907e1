"""Rows of bytes are joined row by row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cellscale.cells.text.byte_rows import Rows, joined_rows


def rows_of(texts):
    lengths = np.array([*map(len, texts)], dtype=np.int64)
    data = np.frombuffer(b"".join(texts) + b" ", dtype=np.uint8)
    return Rows(data, np.cumsum(lengths) - lengths, lengths)


def texts_of(rows):
    return [rows.row(index) for index in range(len(rows.starts))]


@given(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=3)), max_size=20), st.binary(max_size=4))
def test_parts_follow_each_other_in_every_row(pairs, between):
    first, second = rows_of([a for a, _ in pairs]), rows_of([b for _, b in pairs])
    joined = joined_rows(len(pairs), first, between, second)
    assert texts_of(joined) == [a + between + b for a, b in pairs]
    assert bytes(joined.data) == b"".join(texts_of(joined))


def test_rows_are_chosen_left_out_and_taken_by_turns():
    texts = [b"a", b"", b"ccc", b"dd"]
    assert texts_of(rows_of(texts).take(np.array([2, -1, 0]))) == [b"ccc", b"", b"a"]
    assert texts_of(rows_of(texts).every(2, 1)) == [b"", b"dd"]
    assert texts_of(Rows.chosen([b"x", b"", b"yy"], np.array([2, 0, 1]))) == [b"yy", b"x", b""]
    assert texts_of(Rows.repeated(b"", 2)) == [b"", b""]
