"""What networks say of the input they are to be given, and what of it cannot be."""

from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

import cellscale
import cellscale.extensions as installed
from cellscale.cli.tuning.controls import CONTROLS, controls_of
from cellscale.errors import ExtensionError, ModelError, RequestError
from cellscale.label.parameters import Parameters
from cellscale.pipeline import pictures
from cellscale.predict.heads import COMPARTMENTS, MESMER_HEADS
from cellscale.predict.input_format import (
    INSTANSEG_INPUT,
    MESMER_INPUT,
    About,
    Fixed,
    InputFormat,
    Percentiles,
    ZScore,
    problem_of_format,
    said_of,
    settled_format,
)
from cellscale.predict.network_kinds import with_heads
from cellscale.predict.onnx_file import signature_of
from cellscale.predict.tiles import TileGrid
from cellscale.preprocess.preprocessing import Preprocessing
from cellscale.report.examine import examine
from cellscale.testing import check_network
from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset
from tests.predict.tiny_network import tiny_network

OTHER = InputFormat(
    mpp=0.325, channels=("membrane", "nucleus"), normalisation=ZScore(clip=(-1.0, 4.0)), tile=128, overlap=32
)


ABOUT = About(
    description="all cells",
    license="CC0 (anybody)",
    mpp=0.325,
    channels="membranes, then nuclei",
    source="https://lab.example",
)


class Kind:
    """A network whose input is called slide."""

    def __init__(self, said=OTHER, about=ABOUT):
        self._said, self.about = said, about

    def heads(self, signature):
        return MESMER_HEADS if "slide" in signature.inputs else None

    def input_format(self, signature):
        return self._said


OTHER_KIND, WRONG_KIND = Kind(), Kind(replace(OTHER, mpp=0))
UNTOLD_KIND, ODD_KIND = Kind(about=About()), Kind(about=replace(ABOUT, license="two\nlines"))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "other.onnx"
    path.write_bytes(tiny_network(size=128, input_name="slide"))
    return path


@pytest.fixture
def known(monkeypatch):
    """Make a kind known as if a package had it."""
    own = installed._entry_points

    def make(name):
        entry = EntryPoint("other", f"tests.predict.test_input_format:{name}", "cellscale.networks")
        monkeypatch.setattr(
            installed,
            "_entry_points",
            lambda asked: EntryPoints([*own(asked), *([entry] if asked == entry.group else [])]),
        )
        installed._extensions.cache_clear()

    yield make
    installed._extensions.cache_clear()


def test_what_is_left_out_is_as_with_the_network_that_it_is_like():
    assert settled_format(InputFormat(), seeds=False) == MESMER_INPUT
    assert settled_format(InputFormat(), seeds=True) == INSTANSEG_INPUT
    assert settled_format(InputFormat(mpp=1), seeds=True) == replace(INSTANSEG_INPUT, mpp=1)


def test_the_check_passes_another_input(model):
    check_network(Kind(), model)


def test_what_a_package_says_is_known_of_its_network(model, known):
    known("OTHER_KIND")
    assert said_of(model).input_format == settled_format(OTHER, seeds=False)


def test_what_a_package_says_wrongly_is_told_as_its_error(model, known):
    known("WRONG_KIND")
    with pytest.raises(ExtensionError, match=r"the network 'other' .* failed: the input has 0 µm/px; a number from"):
        said_of(model)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mpp": float("nan")}, "nan µm/px; a number from 0.05 to 10"),
        ({"mpp": True}, "True µm/px"),
        ({"channels": ()}, r"a tuple of nucleus and membrane"),
        ({"channels": ("nucleus", "tubulin")}, "a tuple of nucleus and membrane"),
        ({"channels": ("nucleus", "nucleus")}, "one twice"),
        ({"normalisation": "minmax"}, "Percentiles, ZScore or Fixed expected"),
        ({"normalisation": Percentiles(low=99, high=1)}, "two from 0 to 100"),
        ({"normalisation": Fixed(divisor=0)}, "the second not 0"),
        ({"normalisation": ZScore(clip=(3.0, -3.0))}, "the smaller first"),
        ({"tile": 2048}, "64 to 1024"),
        ({"tile": 100.0}, "64 to 1024"),
        ({"overlap": 100}, "16 to 64, a multiple of 2"),
        ({"overlap": 0}, "16 to 64, a multiple of 2"),
    ],
)
def test_what_cannot_be_is_told(model, change, words):
    said = replace(OTHER, **change)
    assert words in problem_of_format(said, seeds=False)
    with pytest.raises(AssertionError, match=words):
        check_network(Kind(said), model)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (InputFormat(channels=("nucleus",)), "takes any channels"),
        (InputFormat(tile=500), "a multiple of 16"),
        (InputFormat(overlap=24), "a multiple of 16"),
        ("0.5", "an InputFormat expected"),
    ],
)
def test_what_cannot_be_of_networks_of_seeds_is_told(said, words):
    assert words in problem_of_format(said, seeds=True)


def test_tiles_of_another_size_than_the_file_takes_are_told(model):
    content, given = model.read_bytes(), InputFormat(channels=("nucleus",), tile=192, overlap=32)
    words = r"slide \[n, 128, 128, 2\]; one of \[n, 192, 192, 1\] or \[n, 1, 192, 192\]"
    with pytest.raises(ModelError, match=words):
        with_heads(content, signature_of(content), MESMER_HEADS, COMPARTMENTS, "other", given)


@pytest.mark.slow
def test_a_network_is_given_what_its_package_says(model, known):
    planes = spots((230, 260), seed=2)

    def cells(nucleus="#1", membrane="#2"):
        return cellscale.segment(
            planes,
            image_mpp=0.4,
            model_path=str(model),
            device="cpu",
            nuclear_channel=nucleus,
            membrane_channel=membrane,
        )

    known("OTHER_KIND")
    found = cells()
    assert found.whole_cell.max() > 20
    assert not np.array_equal(cells("#2", "#1").nucleus, found.nucleus)
    known("SAME_KIND")
    assert not np.array_equal(cells().whole_cell, found.whole_cell)


SAME_KIND = Kind(InputFormat(tile=128), About())


def test_options_of_mesmers_input_are_refused(model, known, tmp_path):
    known("OTHER_KIND")
    dataset = write_dataset(tmp_path / "dataset", image=spots((60, 70)))
    run(
        "segment-and-measure", "--model", model, "--percentile", "99", "--clahe", "off", "workspace", dataset
    ).explains("--percentile, --clahe: ", "input is made as Mesmer's", "Leave them out")
    assert not list(dataset.glob("SEGMASK/*"))
    planes = spots((60, 70))
    with pytest.raises(RequestError, match="preprocessing is for networks whose input is made as Mesmer's"):
        cellscale.segment(planes, model_path=str(model), preprocessing=Preprocessing(clahe=False))
    with pytest.raises(RequestError, match="preprocessing is for networks whose input is made as Mesmer's"):
        cellscale.tune(planes, model_path=str(model), preprocessing=Preprocessing(clahe=False))


@pytest.mark.slow
def test_settings_are_tuned_but_those_of_mesmers_input(model, known):
    known("OTHER_KIND")
    planes = spots((230, 260), seed=2)
    words = {"image_mpp": 0.4, "nuclear_channel": "#1", "membrane_channel": "#2"}
    higher = Parameters(maxima_threshold=0.4)
    with cellscale.tune(planes, (0, 0, 260, 230), model=str(model), workers=1, **words) as tuning:
        found = tuning.labels(whole_cell=higher)
    whole = cellscale.segment(planes, model=str(model), whole_cell=higher, **words).whole_cell
    assert whole.max() > 5
    np.testing.assert_array_equal(found.labels["whole-cell"], whole)
    assert {control.key for control in CONTROLS} - {control.key for control in controls_of(OTHER)} == {
        "percentile",
        "clahe",
        "clahe_kernel",
    }


def test_an_estimate_goes_by_its_pixels_and_tiles(model, known, tmp_path):
    known("OTHER_KIND")
    dataset = write_dataset(tmp_path / "dataset", image=np.zeros((2, 600, 500), np.uint16))
    found = dict(line.split("\t", 1) for line in run("estimate", dataset, "--model", model).stdout.splitlines())
    assert found["images"] == "1; 0.7 Mpx at the network's pixel size (0.325 µm/px)"
    tiles = TileGrid.of((923, 769), 128, 32).count
    assert found["tiles"] == f"{tiles} of 128 x 128 pixels at most"
    known("WRONG_KIND")
    wrong = run("estimate", dataset, "--model", model)
    assert "the input has 0 µm/px" in wrong.stderr
    assert "taken to be Mesmer's" in wrong.stderr
    assert "(0.5 µm/px)" in wrong.stdout


@pytest.mark.slow
def test_the_report_knows_where_its_blocks_meet(model, known, tmp_path, monkeypatch):
    seams = []

    def seen(subject, *words):
        seams.append(subject.seams)
        return examine(subject, *words)

    monkeypatch.setattr(pictures, "examine", seen)
    known("OTHER_KIND")
    dataset = write_dataset(tmp_path / "dataset", image=spots((60, 70)))
    words = ("--model", model, "--image_mpp", "0.4", "workspace", dataset)
    assert run("segment-and-measure", *words).statuses == {"image": "done"}
    assert seams == [pytest.approx(1024 * 0.325 / 0.4)]
    page = (dataset / "REPORTS" / "image_report.html").read_text(encoding="utf-8")
    assert "CC0 (anybody)" in page


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "OTHER_KIND",
            [
                "tests.predict.test_input_format:OTHER_KIND, all cells",
                "  licence: CC0 (anybody)",
                "  images:  0.325 µm/px; channels: membranes, then nuclei",
                "  source:  https://lab.example",
                "  file:    yours: --model FILE.onnx",
            ],
        ),
        ("UNTOLD_KIND", ["UNTOLD_KIND", "  licence: not told", "  images:  pixel size not told; channels: not told"]),
        ("NO_KIND", ["other: cannot be used: the network 'other' of", "cannot be loaded", "update or remove"]),
        ("ODD_KIND", ["other: cannot be used: ", "license in about is 'two", "a line of text expected"]),
        ("ABOUT", ["other: cannot be used: ", "has no method heads", "tell its authors"]),
    ],
)
def test_what_packages_describe_is_listed_and_what_is_broken_says_why(known, name, lines):
    known(name)
    listed = run("models", "list")
    assert listed.exit_code == 0
    ours, _, others = listed.stdout.partition("\nother: ")
    assert "instanseg" in ours
    others = f"other: {others}"
    assert [line for line in lines if line not in others] == []


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ("CC0", "an About expected"),
        (replace(ABOUT, mpp=0.5), r"about has 0.5 µm/px, the input 0.325"),
        (replace(ABOUT, mpp="0.325"), "a number of micrometres expected"),
        (replace(ABOUT, channels=None), "channels in about is None; a line of text expected"),
    ],
)
def test_what_cannot_be_about_a_network_is_told(model, about, words):
    with pytest.raises(AssertionError, match=words):
        check_network(Kind(about=about), model)


def test_its_maps_are_drawn(model, known, tmp_path):
    known("OTHER_KIND")
    dataset = write_dataset(tmp_path / "dataset", image=spots((260, 270)))
    picture = tmp_path / "maps.png"
    made = run("models", "maps", dataset / "OMETIFF/image.ome.tiff", "--model", model, "--out", picture)
    assert made.exit_code == 0, made.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
