"""Sample sheets: a row for an image, a column for an option."""

import pytest

from cellscale.cli.settings.sample_sheet import read_sheet
from cellscale.errors import SettingsError


def read(text):
    return read_sheet(text, "sheet.csv", "/data")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_say_what_their_cells_hold(separator):
    lines = ["image,image_mpp,nuclear_channel", "alpha,0.5,DAPI", "", "beta, ,HH3", "gamma"]
    first, second, third = read("\n".join(lines).replace(",", separator))
    assert (first.pattern, first.values) == ("alpha", {"image_mpp": "0.5", "nuclear_channel": "DAPI"})
    assert (second.pattern, second.values) == ("beta", {"nuclear_channel": "HH3"})
    assert (third.pattern, third.values) == ("gamma", {})
    assert second.place("nuclear_channel") == "sheet.csv, line 4, column 3 (nuclear_channel)"


def test_a_cell_in_quotes_may_have_separators_and_lines():
    (first,) = read('image,nuclear_channel\r\nalpha,"DAPI,\nHH3"\r\n')
    assert first.values == {"nuclear_channel": "DAPI,\nHH3"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["line 1", "no column 'image'", "none"]),
        ("sample,fastq\na,b", ["no column 'image'", "sample, fastq"]),
        ("image,\na,b", ["line 1, column 2", "no name"]),
        ("image,combine,combine\na,b,c", ["line 1, column 3", "another column 'combine'"]),
        ("image,combine\na,sum,max", ["line 2, column 3", "3 cells", "2 columns"]),
        ("image,combine\n ,sum", ["line 2, column 1 (image)", "names no image"]),
        ("image,combine\na,sum\nb,sum\na,max", ["line 4", "a row already (sheet.csv, line 2)"]),
        ('image,combine\n"a,sum', ["line 2", "quotes"]),
    ],
)
def test_what_is_no_sheet_is_told_with_its_place(text, words):
    with pytest.raises(SettingsError) as error:
        read(text)
    for word in ("sheet.csv", *words):
        assert word in str(error.value)
