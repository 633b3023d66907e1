"""Lists of channels' names: MCMICRO's, steinbock's, and a name a line."""

import numpy as np
import pytest

from cellscale.errors import ImageError, RequestError
from cellscale.images.channels.given_names import GivenNames
from cellscale.images.channels.name_list import parse_names
from cellscale.images.open import open_image

MCMICRO = "channel_number,cycle_number,marker_name\n1,1,DNA_1\n2,1,CD3\n3,2,DNA_2\n4,2,CD45\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MCMICRO, ["DNA_1", "CD3", "DNA_2", "CD45"]),
        (MCMICRO.replace("3,2", "1,2").replace("4,2", "2,2"), ["DNA_1", "CD3", "DNA_2", "CD45"]),
        ("marker_name,channel_number\nB,2\nA,1\n", ["A", "B"]),
        ("cycle_number,channel_number,marker_name\n2,1,C\n1,2,B\n1,1,A\n", ["A", "B", "C"]),
        ("cycle_number,marker_name\n1,DAPI\n1,CD3\n2,DAPI\n", ["DAPI", "CD3", "DAPI"]),
        ("channel_number,cycle_number,marker_name,Filter\n10,1,J,x\n9,1,I,y\n", ["I", "J"]),
        ("channel,name,keep,ilastik,deepcell\nIr191,DNA1,1,,1\nPt195,,1,,\nAr80,Argon,0,,\nSm152,CD45,1,,2\n",
         ["DNA1", "Pt195", "CD45"]),
        ("Channel Name;Note\r\n DAPI ;x\r\n;\r\nCD3;\r\n", ["DAPI", "CD3"]),
        ('name\tx\n"CD3, mature"\t1\n', ["CD3, mature"]),
        ("marker_name\nDAPI\n", ["DAPI"]),
        ("DAPI\n\nCD3\nDAPI\n", ["DAPI", "CD3", "DAPI"]),
        ("\N{BYTE ORDER MARK}DAPI\nµ\n", ["DAPI", "µ"]),
    ],
)  # fmt: skip
def test_lists(text, expected) -> None:
    assert list(parse_names(text.encode(), "x.csv")) == expected


def test_encodings_and_commas_in_a_text_file() -> None:
    assert parse_names("name\nTGF-β\n".encode("utf-16"), "x.csv") == ("TGF-β",)
    assert parse_names("name\nµ-catenin\n".encode("cp1252"), "x.csv") == ("µ-catenin",)
    assert parse_names(b"HLA-A,B,C\nCD3\n", "x.txt") == ("HLA-A,B,C", "CD3")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["no name found", "marker_name"]),
        ("\n \n", ["no name found"]),
        ("marker_name,x\n", ["header without rows"]),
        ("a,b\n1,2\n", ["columns a, b found", "marker_name or channel_name or name"]),
        ("marker_name,x\nDAPI,1\n,2\n", ["row 3 has no name"]),
        ("marker_name,channel_number\nA,1\nB,1\n", ["channel_number 1 is there more than once"]),
        ("marker_name,channel_number\nA,1\nB,two\n", ["B has channel_number 'two'", "whole numbers"]),
        ("marker_name,channel_number\nA,1\nB,\n", ["B has channel_number ''"]),
        ("x" * 2**21, ["bytes found"]),
    ],
)
def test_what_is_no_list_of_names(text, words) -> None:
    with pytest.raises(RequestError) as caught:
        parse_names(text.encode(), "panel.csv")
    for word in ["panel.csv", *words]:
        assert word in str(caught.value)


def opened(names, given, count=2):
    image = open_image(np.zeros((count, 3, 3), np.uint8), channel_names=names)
    with_names = open_image(np.zeros((count, 3, 3), np.uint8), channel_names=given) if names is None else None
    return (with_names or image).info


def listed(*names, asked_for=False, problem=None):
    return GivenNames(names=names, source="markers.csv", asked_for=asked_for, problem=problem)


def test_a_list_names_channels_and_says_so() -> None:
    info = opened(None, listed("DAPI", "DAPI"))
    assert [channel.name for channel in info.channels] == ["DAPI", "DAPI (2)"]
    assert info.notes == ("names of channels: markers.csv",)


@pytest.mark.parametrize("asked_for", [True, False])
def test_a_count_that_does_not_fit_is_refused_with_both_counts(asked_for) -> None:
    with pytest.raises(ImageError, match=r"3 names of channels found in markers\.csv, 2 channels in the image"):
        opened(None, listed("A", "B", "C", asked_for=asked_for))


def test_a_list_beside_the_images_that_cannot_be_read_is_told() -> None:
    info = opened(None, listed(problem="markers.csv: no name found"))
    assert [channel.name for channel in info.channels] == ["Channel 1", "Channel 2"]
    assert info.warnings == ("names of channels are not known: markers.csv: no name found",)
