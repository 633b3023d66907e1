"""What other packages add is told apart from cellscale's own, and is never blamed on cellscale."""

from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

import cellscale.extensions as found
from cellscale.cells.exporters import exporter_names, find_exporter
from cellscale.engines.engine import find_engine
from cellscale.errors import ExtensionError, ImageError, RequestError
from cellscale.images import image_names
from cellscale.images.array import ArrayImage
from cellscale.images.open import open_image
from cellscale.predict.heads import MESMER_HEADS, Head
from cellscale.predict.network_kinds import problem_of
from cellscale.predict.onnx_file import Signature, signature_of, tiny_network
from cellscale.regions import Region


@pytest.fixture
def add(monkeypatch):
    """Adds entry points of groups, as other packages would."""
    own = found._entry_points
    caches = (found._extensions, image_names.readers, image_names.other_suffixes)

    def adding(group, name, value):
        entry = EntryPoint(name, value, f"cellscale.{group}")
        monkeypatch.setattr(
            found,
            "_entry_points",
            lambda asked: EntryPoints([*own(asked), *([entry] if asked == entry.group else [])]),
        )
        for cache in caches:
            cache.cache_clear()

    yield adding
    for cache in caches:
        cache.cache_clear()


def wrong_engine(request, listener):
    return None


def failing_engine(request, listener):
    raise KeyError("node7")


class SlashExporter:
    suffix = "csv"


def read_wrong_shape(location, *, cache_bytes, scratch):
    image = ArrayImage(np.zeros((2, 9, 9), np.uint8))
    image.read = lambda channels, region, level=0: np.zeros((1, 1, 1), np.uint8)
    return image


def read_complex(location, *, cache_bytes, scratch):
    return ArrayImage(np.zeros((2, 9, 9), np.int64))


def read_damaged(location, *, cache_bytes, scratch):
    raise ImageError(f"{location} is damaged")


HERE = "tests.test_extensions"


def test_a_name_of_ours_stays_ours(add):
    add("engines", "local", f"{HERE}:wrong_engine")
    add("exporters", "tsv", f"{HERE}:SlashExporter")
    assert find_engine("local").__module__ == "cellscale.engines.local"
    assert find_exporter("tsv").suffix == ".tsv"
    assert exporter_names() == ("anndata",)


@pytest.mark.parametrize(("engine", "what"), [("wrong_engine", "NoneType was returned"), ("failing_engine", "node7")])
def test_an_engine_that_fails_is_named(add, engine, what):
    add("engines", "far", f"{HERE}:{engine}")
    with pytest.raises(ExtensionError, match=rf"the engine 'far' of {HERE}:{engine} failed: .*{what}"):
        find_engine("far")(None, None)


def test_an_exporter_without_an_ending_is_refused(add):
    add("exporters", "slash", f"{HERE}:SlashExporter")
    with pytest.raises(RequestError, match=r"the exporter 'slash' .* has the suffix 'csv'; one like '.csv' expected"):
        find_exporter("slash")


@pytest.mark.parametrize("ending", ["slide", ".SLIDE"])
def test_a_reader_is_found_by_its_ending(add, ending):
    add("readers", ending, f"{HERE}:read_damaged")
    assert image_names.image_name("a/b.c.slide") == "b.c"
    with pytest.raises(ImageError, match=r"b.c.Slide is damaged"):
        open_image("a/b.c.Slide")


def test_a_longer_ending_of_ones_own_comes_before_ours_and_the_same_does_not(add, tmp_path):
    add("readers", "lab.tif", f"{HERE}:read_damaged")
    assert image_names.image_name("b.lab.tif") == "b"
    with pytest.raises(ImageError, match=r"b.lab.tif is damaged"):
        open_image("b.lab.tif")
    add("readers", "ome.tif", f"{HERE}:read_damaged")
    assert image_names.other_suffixes() == ()


@pytest.mark.parametrize(
    ("reader", "what"),
    [
        ("read_wrong_shape", r"uint8 \(1, 1, 1\) read, uint8 \(1, 4, 5\) expected"),
        ("read_complex", "pixels of type .*i8 found"),
        ("no_reader", "cannot be loaded"),
    ],
)
def test_a_reader_that_is_wrong_is_named_before_it_spoils_results(add, reader, what):
    add("readers", "slide", f"{HERE}:{reader}")
    with pytest.raises(ExtensionError, match=f"the reader 'slide' of {HERE}:{reader} .*{what}"):
        open_image("a.slide").read((0,), Region(0, 0, 4, 5))


def test_an_installation_without_its_own_parts_says_so(monkeypatch):
    monkeypatch.setattr(found, "_entry_points", lambda group: EntryPoints([]))
    found._extensions.cache_clear()
    with pytest.raises(RequestError, match="install it again"):
        find_engine("local")
    found._extensions.cache_clear()


def test_what_goes_into_a_network_and_comes_out_is_read_from_its_file():
    signature = signature_of(tiny_network())
    assert signature.inputs == {"input_0": (None, 256, 256, 2)}
    assert signature.outputs == {f"semantic_{index}": (None, 256, 256, 1 + index % 2 * 2) for index in range(4)}
    with pytest.raises(ValueError, match="cut off"):
        signature_of(tiny_network()[:-9])


@pytest.mark.parametrize(
    ("heads", "what"),
    [
        ((), "a tuple of Head expected"),
        (MESMER_HEADS[:1], "one of maxima and one of interior"),
        ((*MESMER_HEADS, MESMER_HEADS[0]), "one of maxima and one of interior"),
        ((Head("nuclear", "maxima", "semantic_9", 0), MESMER_HEADS[3]), "no output 'semantic_9'"),
        ((Head("nuclear", "maxima", "semantic_2", 1), MESMER_HEADS[3]), "no channel 1"),
    ],
)
def test_heads_that_cannot_be_are_told(heads, what):
    assert what in problem_of(heads, signature_of(tiny_network()))
    assert problem_of(MESMER_HEADS, signature_of(tiny_network())) is None
    assert problem_of(MESMER_HEADS, Signature({}, {})) is not None
