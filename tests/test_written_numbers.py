"""Numbers are read as people and other programs write them, not as Python does."""

import pytest

from cellscale.written_numbers import decimal_number, number_in_json, whole_number


@pytest.mark.parametrize(("text", "number"), [("7", 7), (" +7 ", 7), ("-07", -7), ("0", 0)])
def test_whole_numbers(text, number) -> None:
    assert whole_number(text) == number
    assert decimal_number(text) == number


@pytest.mark.parametrize("text", [None, "", "0_5", "1.0", "\N{ARABIC-INDIC DIGIT FIVE}", "0x5", "1e3", "9" * 5000])
def test_what_is_no_whole_number(text) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize(("text", "number"), [("0.5", 0.5), (".5", 0.5), ("5.", 5), ("-2.5E-1", -0.25)])
def test_decimal_numbers(text, number) -> None:
    assert decimal_number(text) == number == number_in_json(text) == number_in_json(number)


@pytest.mark.parametrize("text", [None, "", "0_5", "0,5", "INF", "nan", "1e999", ".", "\N{ARABIC-INDIC DIGIT FIVE}"])
def test_what_is_no_decimal_number(text) -> None:
    assert decimal_number(text) is None
    assert number_in_json(text) is None


@pytest.mark.parametrize("value", [True, [1], {}, float("nan"), 10**400])
def test_what_is_no_number_in_json(value) -> None:
    assert number_in_json(value) is None
