"""Finding the nuclear and membrane channels, and reading several as one."""

import numpy as np
import pytest

from cellscale.errors import ChannelError
from cellscale.images.array import ArrayImage
from cellscale.images.channels.channel_choice import select_channels


def info_of(*names):
    return ArrayImage(np.zeros((len(names), 2, 2), np.uint8), channel_names=names).info


MANY = info_of("DAPI", "CD3", "CD31", "CD3e", "Membrane", "cd45RO", "CD45")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("DAPI", 0), ("dapi", 0), ("CD3", 1), ("cd3", 1), ("CD31", 2), ("cd3E", 3), ("mem", 4), ("cd45r", 5),
        ("CD45", 6), ("#1", 0), ("#7", 6), (" dapi ", 0),
    ],
)  # fmt: skip
def test_names_and_positions(wanted, expected) -> None:
    assert select_channels(MANY, [wanted]).nuclear == (expected,)
    assert select_channels(MANY, ["DAPI"], [wanted]).membrane == (expected,)


def test_a_number_alone_is_a_name_and_not_a_position() -> None:
    spatialdata = info_of("0", "1", "2")
    assert select_channels(spatialdata, ["1"]).nuclear == (1,)
    assert select_channels(spatialdata, ["#1"]).nuclear == (0,)
    assert select_channels(spatialdata, ["1"]).nuclear_text == "#2 1 (given)"
    with pytest.raises(ChannelError, match=r"no channel '2'\. A position is asked for as #2"):
        select_channels(MANY, ["2"])
    with pytest.raises(ChannelError, match=r"no channel '8'\. Channels"):
        select_channels(MANY, ["8"])


def test_several_are_kept_in_order_and_once() -> None:
    assert select_channels(MANY, ["CD45", "#1", "dapi"], ["#2", "Membrane"]).nuclear == (6, 0)
    assert select_channels(MANY, ["CD45"], ["#2", "Membrane"]).membrane == (1, 4)


def test_the_very_spelling_goes_before_other_letters() -> None:
    info = info_of("dapi", "DAPI", "Dapi2")
    assert select_channels(info, ["DAPI"]).nuclear == (1,)
    assert select_channels(info, ["dapi"]).nuclear == (0,)
    with pytest.raises(ChannelError, match="#1 dapi, #2 DAPI"):
        select_channels(info, ["Dapi"])


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("CD", ["several", "#2 CD3", "#3 CD31", "position"]),
        ("CD33", ["no channel 'CD33'", "Did you mean", "#1 DAPI"]),
        ("", ["no channel ''"]),
        ("#0", ["#1 to #7"]),
        ("#8", ["#1 to #7"]),
        ("#x", ["no channel '#x'"]),
    ],
)
def test_what_is_not_there_or_not_clear(wanted, words) -> None:
    with pytest.raises(ChannelError) as caught:
        select_channels(MANY, [wanted])
    for word in words:
        assert word in str(caught.value)


def test_two_channels_of_one_name() -> None:
    with pytest.raises(ChannelError, match="#1 DAPI, #3 DAPI"):
        select_channels(info_of("DAPI", "x", "DAPI"), ["DAPI"])
    assert select_channels(info_of("DAPI", "x", "DAPI"), ["#3"]).nuclear == (2,)


@pytest.mark.parametrize(
    "name",
    [
        "DAPI", "dapi", "DAPI-01", "Cycle_2 DAPI", "DAPI_R1", "DAPI (1)", "Hoechst", "Hoechst 33342", "HOECHST1",
        "HH3", "Histone H3", "HistoneH3", "H3", "HistoneH3_113In", "DNA", "DNA1", "DNA_1", "DNA-2", "191Ir_DNA1",
        "DNA1(Ir191)", "Ir191", "193Ir", "dsDNA", "dsDNA_89", "DRAQ5", "SYTO13", "SYTO 13", "SYTOX Green", "TO-PRO-3",
        "nuclear", "Nucleus", "Hematoxylin", "DNA1(Ir191Di)", "DNA1_Ir191Di", "HH3(In113Di)",
        "HH3_113In", "HH3 Pt195", "H3 (Pt194)",
    ],
)  # fmt: skip
def test_usual_names_of_the_nucleus(name) -> None:
    chosen = select_channels(info_of("CD3", name, "CD8"))
    assert chosen.nuclear == (1,)
    assert f"#2 {name}" in chosen.nuclear_text


@pytest.mark.parametrize(
    "name",
    [
        "DNAJB1", "DNA-PK", "DNA-PKcs", "DNA ligase", "cGAS", "H3K27me3", "Histone H3K9ac", "phospho-Histone H3",
        "pHH3", "Nuclear membrane", "Nuclear pore", "Nucleolin", "NUCB2", "LaminAC", "CD193", "Ki67 191",
        "DAPI background", "AF DAPI", "DAPI bleached", "Channel 1", "", "p-HH3", "Phospho-HH3", "HH3 pS10",
        "HH3 phospho Ser28", "H3 pS10", "Histone H3 pT11", "H3 ac27", "HH3 K27me3", "dsDNA damage",
    ],
)  # fmt: skip
def test_names_that_only_look_like_the_nucleus(name) -> None:
    with pytest.raises(ChannelError, match=r"--nuclear_channel.*#1 CD3"):
        select_channels(info_of("CD3", name, "CD8"))


def test_the_first_round_and_the_most_usual_stain() -> None:
    assert select_channels(info_of("CD3", "DAPI-01", "CD8", "DAPI-02")).nuclear == (1,)
    assert select_channels(info_of("HH3", "CD3", "DAPI")).nuclear == (2,)
    assert select_channels(info_of("p-HH3", "HH3", "dsDNA")).nuclear == (1,)
    assert select_channels(info_of("nuclear", "membrane")).nuclear == (0,)


@pytest.mark.parametrize(
    "name",
    ["Membrane", "cell membrane", "Pan-Membrane", "membrane_1", "Membrane cocktail", "Na/K-ATPase", "NaKATPase",
     "NaK ATPase", "Na+/K+-ATPase", "ATP1A1", "WGA", "Plasma membrane", "163Dy_NaK_ATPase", "Pan-Cadherin",
     "panCadherin", "HLA-ABC", "HLA class 1", "MHC-I", "HLA", "B2M", "b-catenin", "β-catenin", "Beta_catenin1",
     "Beta-Catenin_165Ho", "CD298", "ICSK1", "WGA (Opal 690)"],
)  # fmt: skip
def test_usual_names_of_the_membrane(name) -> None:
    chosen = select_channels(info_of("DAPI", "E-cadherin", name))
    assert chosen.membrane == (2,)
    assert chosen.membrane_text == f"#3 {name} (by its usual name)"


@pytest.mark.parametrize(
    "name",
    ["E-cadherin", "ECadherin", "E_cadherin", "Ecad", "CDH1", "PanCK", "pan-Cytokeratin", "Pan_CK", "panKeratin",
     "Keratin", "AE1/AE3", "Pan-Cytokeratin(Nd148Di)", "CD45", "CD45 (LCA)", "CD45_152Sm", "CD45-AF647", "Vimentin"],
)  # fmt: skip
def test_markers_of_some_cells_are_taken_where_nothing_better_is_there_and_it_is_said(name) -> None:
    chosen = select_channels(info_of("DAPI", "CD8", name))
    assert chosen.membrane == (2,)
    assert "by its usual name; some cells only" in chosen.membrane_text
    assert select_channels(info_of("DAPI", name, "WGA")).membrane == (2,)


def test_the_order_among_markers_of_some_cells() -> None:
    names = ["DAPI", "Vimentin", "CD45", "PanCK", "E-cadherin"]
    for count in range(5, 1, -1):
        assert select_channels(info_of(*names[:count])).membrane == (count - 1,)


@pytest.mark.parametrize(
    "name",
    ["Nuclear membrane", "basement membrane", "Na/K-ATPase pS16", "HLA-DR", "HLA class II", "CD45RO", "CD45 RA",
     "Keratin 5", "CK7", "Keratin14", "p-b-catenin", "phospho-beta-catenin", "N-cadherin", "VE-cadherin",
     "Vimentin background", "cell", "pan", "CD4"],
)  # fmt: skip
def test_the_membrane_is_blank_rather_than_wrong(name) -> None:
    chosen = select_channels(info_of("DAPI", name))
    assert chosen.membrane == ()
    assert "blank" in chosen.membrane_text


def test_the_first_of_alternatives_that_is_there_is_taken() -> None:
    chosen = select_channels(info_of("CD3", "HH3", "DAPI"), ["Hoechst|DAPI|HH3"], ["PanCK|none"])
    assert (chosen.nuclear, chosen.membrane) == ((2,), ())
    assert chosen.nuclear_text == "#3 DAPI (given, the first of Hoechst|DAPI|HH3)"
    assert chosen.membrane_text == "blank (given, the first of PanCK|none)"
    assert not chosen.by_usual_names
    assert select_channels(info_of("CD3", "HH3"), ["DAPI|HH3"]).nuclear == (1,)
    assert select_channels(info_of("CD3", "HH3"), ["#3 | #2"], ["WGA|CD3|none"]).membrane == (0,)
    assert select_channels(info_of("a", "x|a"), ["x|a"]).nuclear == (1,)
    with pytest.raises(ChannelError, match=r"no channel 'DAPI\|Hoechst'\. Channels: #1 CD3"):
        select_channels(info_of("CD3", "HH3"), ["DAPI|Hoechst"])
    with pytest.raises(ChannelError, match="several channels match 'CD'"):
        select_channels(MANY, ["x|CD"])


def test_a_blank_membrane_can_be_asked_for() -> None:
    assert select_channels(info_of("DAPI", "Membrane"), (), ["none"]).membrane == ()
    assert select_channels(info_of("DAPI", "None"), (), ["none"]).membrane == (1,)


def test_real_panels() -> None:
    chosen = select_channels(info_of("HH3", "Membrane", "Background", "NaK ATPase", "LaminAC"))
    assert (chosen.nuclear, chosen.membrane) == ((0,), (1,))
