"""No two channels have one name in the outputs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cellscale
from cellscale.cells.text.columns import cell_columns, detection_columns
from cellscale.cells.text.dialects import Dialect
from cellscale.images.channels.channel_choice import select_channels
from cellscale.images.channels.distinct_names import distinct_names
from cellscale.images.open import open_image, with_facts


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["DAPI", "CD45", "DAPI", "DAPI"], ["DAPI", "CD45", "DAPI (2)", "DAPI (3)"]),
        (["CD45 ", "CD45", " CD45"], ["CD45 ", "CD45 (2)", "CD45 (3)"]),
        (["DAPI", "DAPI", "DAPI (2)"], ["DAPI", "DAPI (3)", "DAPI (2)"]),
        (["DAPI (2)", "DAPI", "DAPI", "DAPI (2)"], ["DAPI (2)", "DAPI", "DAPI (3)", "DAPI (2) (2)"]),
        (["", "Channel 1", " "], ["", "Channel 1 (2)", " "]),
        (["Channel 2", ""], ["Channel 2", "Channel 2 (2)"]),
        (["dapi", "DAPI", " CD3"], ["dapi", "DAPI", " CD3"]),
        ([], []),
    ],
)
def test_the_first_keeps_its_name_and_the_others_are_numbered(names, expected) -> None:
    assert list(distinct_names(names)) == expected


@given(st.lists(st.sampled_from(["A", " A", "A ", "A (2)", "A (3)", "", " ", "Channel 2", "Channel 3 (2)", "B"])))
def test_every_channel_has_all_its_columns(names) -> None:
    distinct = distinct_names(names)
    assert distinct_names(distinct) == distinct
    shown = [name.strip() or f"Channel {number}" for number, name in enumerate(distinct, 1)]
    for dialect in Dialect:
        assert len(cell_columns(shown, "px", dialect).names) == 24 * len(names) + 13
    assert len(detection_columns(shown, "px").names) == 6 * len(names) + 6


def test_open_images_say_which_channels_they_rename() -> None:
    image = open_image(np.zeros((4, 3, 3), np.uint8), channel_names=["DAPI", "CD45 ", "DAPI", "CD45"])
    assert [channel.name for channel in image.info.channels] == ["DAPI", "CD45 ", "DAPI (2)", "CD45 (2)"]
    (warning,) = image.info.warnings
    assert warning.endswith("told apart: #3 DAPI is called DAPI (2), #4 CD45 is called CD45 (2)")
    assert open_image(np.zeros((2, 3, 3), np.uint8), channel_names=["DAPI", "CD45"]).info.warnings == ()
    many = open_image(np.zeros((40, 3, 3), np.uint8), channel_names=["Blank"] * 40)
    assert many.info.warnings[0].endswith("#11 Blank is called Blank (11) and 29 more")


def test_new_names_are_told_apart_without_a_word_of_the_old() -> None:
    image = open_image(np.zeros((2, 3, 3), np.uint8), channel_names=["A", "A"])
    again = with_facts(image, channel_names=["B", "C"])
    assert [(channel.name, channel.written) for channel in again.info.channels] == [
        ("B", "Channel 1"),
        ("C", "Channel 2"),
    ]


def test_each_name_asks_for_its_channel() -> None:
    info = open_image(np.zeros((3, 3, 3), np.uint8), channel_names=["DAPI", "x", "DAPI"]).info
    assert select_channels(info, ["DAPI"]).nuclear == (0,)
    assert select_channels(info, ["DAPI (2)"]).nuclear == (2,)
    assert select_channels(info, ["#3"]).nuclear == (2,)
    assert select_channels(info).nuclear_text == "#1 DAPI (by its usual name)"


def test_every_channel_is_measured() -> None:
    pixels = np.stack([np.full((40, 40), value, np.uint16) for value in (1, 2, 3)])
    mask = np.zeros((40, 40), np.int32)
    mask[5:20, 5:20] = 1
    names = ["DAPI", "CD45", "CD45"]
    opened = open_image(pixels, channel_names=["x", "y", "z"])
    for table in (
        cellscale.measure(pixels, mask, channel_names=names),
        cellscale.measure(opened, mask, channel_names=names),
    ):
        means = {name: table[name][0].as_py() for name in table.column_names if name.endswith(": Mean")}
        assert means == {"DAPI: Mean": 1, "CD45: Mean": 2, "CD45 (2): Mean": 3}
