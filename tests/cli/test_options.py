"""Values of options, read from any text."""

import csv
import io
import math
from contextlib import suppress

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.cli.options.shared_options import byte_size, name_list, normalize_word, positive_number

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda name: name == name.strip())


@pytest.mark.parametrize("read", [byte_size, name_list, positive_number])
@given(text=st.one_of(st.text(), st.from_regex(r"[0-9]*\.?[0-9]* ?[kKmMgGtT]?i?B?", fullmatch=True)))
def test_any_text_is_read_or_refused(read, text):
    with suppress(click.BadParameter):
        assert read(text)


@given(amount=st.integers(1, 10**15), unit=st.sampled_from(["B", "k", "KB", "M", "mb", "G", "GB", "T"]))
def test_decimal_units_are_powers_of_a_thousand(amount, unit):
    power = "BKMGT".index(unit[:1].upper() or "B")
    assert byte_size(f"{amount}{unit}") == amount * 1000**power


@given(amount=st.integers(1, 10**6), unit=st.sampled_from("KMGT"))
def test_binary_units_are_powers_of_1024(amount, unit):
    assert byte_size(f"{amount} {unit}iB") == amount * 1024 ** ("BKMGT".index(unit))


def test_an_amount_of_any_length_is_exact():
    assert byte_size("1" + "0" * 25) == 10**25
    assert byte_size("1" * 400) > 0


@given(names=st.lists(NAMES, min_size=1, max_size=5))
def test_names_come_back_from_a_quoted_list(names):
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(names)
    assert name_list(line.getvalue()) == tuple(names)


def test_names_may_have_blanks_around_their_commas():
    assert name_list(' DAPI ,  "E, cad",#3 ') == ("DAPI", "E, cad", "#3")


@given(number=st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_positive_numbers_are_read_as_they_are(number):
    assert positive_number(repr(number)) == number


@pytest.mark.parametrize("text", ["0", "-0.5", "nan", "inf", "-inf", "", "1,5"])
def test_what_is_no_positive_number_is_refused(text):
    with pytest.raises(click.BadParameter):
        positive_number(text)
    assert not math.isnan(positive_number("1e-3"))


@given(word=st.text(st.sampled_from("ab-_"), max_size=8))
def test_words_have_one_spelling(word):
    assert normalize_word(word) == normalize_word(word.replace("_", "-")) == normalize_word(normalize_word(word))
