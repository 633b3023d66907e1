"""Settings files in TOML: what they say, and where what is wrong with them is."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellscale.cli.settings.settings_text import settings_text
from cellscale.cli.settings.settings_toml import read_settings
from cellscale.errors import SettingsError

TEXT = """# of one study
nuclear_channel = ["DAPI", "HH3"]
note = '''
image_mpp = 0.25
[image.fake]
'''

[image.alpha]  # the first
  image_mpp = 0.5
"combine" = "max"

[image."b*.1"]
image-mpp = 0.4
"""


def read(text):
    return read_settings(text, "study.toml", "/data")


def test_settings_of_all_images_come_first_then_those_of_some():
    general, alpha, pattern = read(TEXT)
    assert (general.pattern, general.values["nuclear_channel"]) == (None, ["DAPI", "HH3"])
    assert (alpha.pattern, alpha.values) == ("alpha", {"image_mpp": 0.5, "combine": "max"})
    assert (pattern.pattern, pattern.values) == ("b*.1", {"image-mpp": 0.4})


def test_places_are_those_of_keys_and_never_inside_text():
    general, alpha, pattern = read(TEXT)
    assert general.place("nuclear_channel") == "study.toml, line 2, column 1"
    assert alpha.place(None) == "study.toml, line 8, column 1"
    assert alpha.place("image_mpp") == "study.toml, line 9, column 3"
    assert alpha.place("combine") == "study.toml, line 10, column 1"
    assert pattern.place("image-mpp") == "study.toml, line 13, column 1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nuclear_channel = [", ["line 1, column 20", "Invalid"]),
        ("a = 1\na = 2", ["line 2", "Cannot overwrite"]),
        ("combine = sum", ["line 1, column 11"]),
        ('combine = "sum\nx = 1', ["line 1, column 15"]),
        ("x = 1\nimage = 3", ["line 2, column 1", "expected tables named by images"]),
        ("[[image]]\nname = 'a'", ["expected tables named by images"]),
        ("[image]\nimage_mpp = 3", ["line 2, column 1", 'as in [image."slide_1"]']),
        ("[image.slide.1]\nimage_mpp = 3", ['write [image."slide.1"]']),
    ],
)
def test_what_is_no_settings_file_is_told_with_its_place(text, words):
    with pytest.raises(SettingsError) as error:
        read(text)
    for word in ("study.toml", *words):
        assert word in str(error.value)


@settings(max_examples=30)
@given(st.text(st.sampled_from("a=[]\"'.# \n1"), max_size=30))
def test_any_text_is_read_or_refused_with_a_place(text):
    with suppress(SettingsError):
        for section in read(text):
            for key in section.values:
                assert section.place(key).startswith("study.toml")


VALUES = st.one_of(st.text(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False))
KEYS = st.from_regex(r"[a-z][a-z_0-9]{0,9}", fullmatch=True).filter(lambda key: key != "image")


@given(
    st.dictionaries(KEYS, st.one_of(VALUES, st.lists(st.text(), max_size=3)), max_size=4),
    st.dictionaries(st.text(), st.dictionaries(KEYS, VALUES, max_size=3), max_size=3),
)
def test_what_is_written_is_read_again(general, images):
    first, *others = read(settings_text(general, images.items()))
    assert first.values == general
    assert {section.pattern: section.values for section in others} == images
    assert first.place(None).startswith("study.toml")
