import numpy as np
import pytest
import tifffile

from cellscale.pipeline.model import LIKE_INSTANSEG, Interface
from cellscale.planning import image_sizes as module
from cellscale.planning.image_sizes import survey
from cellscale.predict.input_format import InputFormat
from cellscale.predict.tiles import TileGrid
from cellscale.workspace.discovery import discover
from cellscale.workspace.entry_image import open_entry_image
from cellscale.workspace.layout import workspace_paths
from tests.pipeline.spots import write_dataset, write_image


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(
        tmp_path, small=np.zeros((2, 200, 300), np.uint16), large=np.zeros((2, 1000, 700), np.uint16)
    )


def entries(root):
    return discover(workspace_paths(root))


def test_sizes_are_those_of_the_headers(dataset):
    found = survey(entries(dataset))
    assert [(size.pixels, size.channels) for size in found.sizes] == [(60_000, 2), (700_000, 2)]
    assert [size.tiles for size in found.sizes] == [TileGrid.of(shape).count for shape in ((200, 300), (1000, 700))]
    assert (found.unreadable, found.guessed) == ((), 0)


@pytest.mark.parametrize(
    ("network", "tiles", "computed", "held"),
    [
        (Interface(input_format=InputFormat(mpp=0.25, tile=128, overlap=32)), 21 * 15, 21 * 15 * 128**2, 16),
        (LIKE_INSTANSEG, 2 * 2, (1008 + 2 * 144) * (700 + 4 + 2 * 144), 40),
    ],
)
def test_sizes_are_those_of_the_network(dataset, network, tiles, computed, held):
    size = survey(entries(dataset), network=network).sizes[1]
    assert (size.pixels, size.tiles) == (700_000, tiles)
    assert size.tiles * size.tile_pixels == pytest.approx(computed)
    shown = size.network_pixels if network is LIKE_INSTANSEG else computed
    assert size.held_bytes == shown * held
    assert size.network_pixels == round(700_000 * (0.5 / network.input_format.mpp) ** 2)


def test_no_pixel_is_read(dataset, monkeypatch):
    class Header:
        def __init__(self, image):
            self.info, self.close = image.info, image.close

    monkeypatch.setattr(module, "open_entry_image", lambda entry: Header(open_entry_image(entry)))
    assert len(survey(entries(dataset)).sizes) == 2


def test_stacks_are_counted_as_their_channels_are_read(tmp_path):
    (tmp_path / "OMETIFF").mkdir()
    tifffile.imwrite(
        tmp_path / "OMETIFF" / "a.tif", np.zeros((5, 90, 80), np.uint16), imagej=True, metadata={"axes": "ZYX"}
    )
    assert survey(entries(tmp_path)).unreadable == ("a",)
    (size,) = survey(discover(workspace_paths(tmp_path), channel_axis="Z")).sizes
    assert (size.pixels, size.channels) == (7200, 5)


def test_the_size_of_pixels_makes_the_work(tmp_path):
    write_image(tmp_path / "OMETIFF" / "fine.ome.tiff", np.zeros((2, 800, 600), np.uint16), mpp=0.25)
    (size,) = survey(entries(tmp_path)).sizes
    assert (size.pixels, size.network_pixels) == (480_000, 120_000)
    (given,) = survey(entries(tmp_path), mpp=1.0).sizes
    assert given.network_pixels == 1_920_000


def test_an_image_that_cannot_be_opened_is_named(dataset):
    (dataset / "OMETIFF" / "broken.ome.tiff").write_bytes(b"no image")
    found = survey(entries(dataset))
    assert (len(found.sizes), found.unreadable) == (2, ("broken",))


@pytest.mark.parametrize("mpp", [0.001, 500.0])
def test_an_image_whose_pixels_have_a_size_that_a_run_refuses_is_left_out(dataset, mpp):
    write_image(dataset / "OMETIFF" / "odd.ome.tiff", np.zeros((2, 300, 300), np.uint16), mpp=mpp)
    found = survey(entries(dataset))
    assert (len(found.sizes), found.unreadable) == (2, ("odd",))
    assert survey(entries(dataset), mpp=0.5).unreadable == ()


def test_of_many_images_some_stand_for_the_others(dataset, monkeypatch):
    monkeypatch.setattr(module, "_HEADERS", 4)
    for index in range(10):
        write_image(dataset / "OMETIFF" / f"more_{index}.ome.tiff", np.zeros((2, 100 + index, 100), np.uint16))
    found = survey(entries(dataset))
    assert len(found.sizes) == 12
    assert 0 < found.guessed <= 8
    # The largest file is always looked at.
    assert max(size.pixels for size in found.sizes) == 700_000
