"""Rows are put in the order of what a column says."""

from cellscale.report.html.ranks import ranks


def column(*texts):
    return [row[0] for row in ranks([(text,) for text in texts])]


def test_numbers_are_compared_by_value_whatever_their_unit_and_commas():
    assert column("1,200", "577", "12.5 s", "1.2e+06", "0") == [3, 2, 1, 4, 0]


def test_names_are_compared_as_people_count():
    assert column("a10", "a2", "B1", "a2 b", "10x", "2x") == [4, 2, 5, 3, 1, 0]


def test_what_is_empty_comes_before_all_and_equals_share_a_place():
    assert column("", "5", "–", "5", "a") == [0, 1, 0, 1, 2]


def test_a_table_without_rows_has_no_order():
    assert ranks([]) == []
