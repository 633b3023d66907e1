"""Tile by tile, on any number of workers, gives what the whole image at once gives, bit for bit."""

import numpy as np
import pytest

from benchmarks.whole_image import label_image
from cellscale.errors import ImageError, UncertainError
from cellscale.images.array import ArrayImage
from cellscale.images.info import PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL
from cellscale.label.resize import nearest_rows_columns
from cellscale.pipeline import budget as budget_module
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting import block_store as labels_module
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.methods import maxima_method as maxima_module
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.pipeline.segmenting.prediction import predict_group
from cellscale.predict.blending import blend
from cellscale.predict.heads import MESMER_HEADS
from cellscale.predict.network import Computation, OnnxNetwork
from cellscale.predict.tiles import TileGrid, tile_input
from cellscale.preprocess.equalise import ChannelFacts, equalise, finish, level_range
from cellscale.preprocess.rescale import rescaled_reader, rescaled_shape
from cellscale.preprocess.statistics import channel_statistics
from cellscale.regions import Region
from tests.pipeline.spots import spots

PARAMETERS = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}


def at_once(planes, network, mpp=0.5):
    """Segment with every step on the whole image."""
    factor = mpp / 0.5
    shape = planes.shape[1:]
    readers = [lambda region, plane=plane: plane[region.slices] for plane in planes]
    if factor != 1:
        limits = (planes.min(), planes.max())
        readers = [rescaled_reader(read, shape, factor, limits) for read in readers]
        shape = rescaled_shape(shape, factor)
    whole = Region(0, 0, *shape)
    pixels = np.stack([prepared(read, whole, planes.dtype) for read in readers])
    grid = TileGrid.of(shape)

    def tile(row, column):
        return network.predict(tile_input(lambda region: pixels[:, *region.slices], grid, row, column)[np.newaxis])[0]

    maps = blend(tile, grid, whole)
    found = {}
    for index, (compartment, parameters) in enumerate(PARAMETERS.items()):
        labels = label_image(maps[2 * index], maps[2 * index + 1], parameters, block_size=100_000)
        rows, columns = nearest_rows_columns(Region(0, 0, *planes.shape[1:]), planes.shape[1:], shape)
        found[compartment] = labels[np.ix_(rows, columns)] if factor != 1 else labels
    return found


def prepared(read, whole, dtype):
    statistics = channel_statistics(lambda function: [function(read(whole))], dtype)
    levels = equalise(read, whole, (whole.height, whole.width), statistics)
    low, high = level_range(levels)
    return finish(levels, ChannelFacts(statistics.clip, statistics.minimum, statistics.maximum, low, high))


def in_tiles(planes, network, folder, mpp=0.5, workers=1):
    """Segment through the pipeline."""
    image = ArrayImage(planes, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(mpp, mpp))
    source = network_input(image, pixel_size=choose_pixel_size(image.info))
    run = ImageRun("image", ignore, Budget(workers, 2**30))
    labels = segment_channels(run, RunState(folder / "state"), source, network, PARAMETERS)
    return {compartment: found.read(image.info.region) for compartment, found in labels.items()}


@pytest.fixture(scope="module")
def network(tiny_model):
    return OnnxNetwork(tiny_model, threads=1)


@pytest.mark.slow
@pytest.mark.parametrize("mpp", [0.5, 0.65, 0.3])
@pytest.mark.parametrize(
    ("shape", "block", "group", "step", "workers"),
    [
        ((700, 900), 96, 1, (100, 130), 3),
        ((700, 900), 250, 2, (1000, 64), 2),
        ((200, 180), 64, 4, (77, 50), 2),
        ((257, 300), 128, 3, (128, 128), 1),
        ((90, 800), 100, 2, (50, 333), 4),
    ],
)
def test_any_cutting_and_any_number_of_workers_give_the_labels_of_the_whole_image(
    tmp_path, network, small_units, shape, block, group, step, workers, mpp
):
    planes = spots(shape, seed=shape[0] + block)
    expected = at_once(planes, network, mpp)
    small_units(block, group, step)
    found = in_tiles(planes, network, tmp_path, mpp, workers)
    for compartment, labels in expected.items():
        assert labels.max() > 0
        np.testing.assert_array_equal(found[compartment], labels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (3, 2), (255, 257)])
@pytest.mark.parametrize("value", [0, 1000])
def test_images_without_any_structure_have_no_cells_and_do_not_fail(tmp_path, network, shape, value):
    found = in_tiles(np.full((2, *shape), value, np.uint16), network, tmp_path)
    for labels in found.values():
        np.testing.assert_array_equal(labels, np.zeros(shape, np.int32))


def test_one_compartment_alone_is_labelled_as_it_is_with_the_other(tmp_path, tiny_model, network):
    planes = spots((300, 400))
    expected = at_once(planes, network)
    image = ArrayImage(planes, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(0.5, 0.5))
    source = network_input(image, pixel_size=choose_pixel_size(image.info))
    for compartment, parameters in PARAMETERS.items():
        alone = OnnxNetwork(tiny_model, compartments=(compartment,), threads=1)
        run = ImageRun("image", ignore, Budget(1, 2**30))
        found = segment_channels(run, RunState(tmp_path / compartment), source, alone, {compartment: parameters})
        np.testing.assert_array_equal(found[compartment].read(image.info.region), expected[compartment])


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_64_bit_integers_are_segmented_as_their_32_bit_equals(tmp_path, network, dtype):
    planes = spots((300, 300))
    expected = in_tiles(planes.astype(np.int32), network, tmp_path / "narrow")
    found = in_tiles(planes.astype(dtype), network, tmp_path / "wide")
    np.testing.assert_array_equal(found["whole-cell"], expected["whole-cell"])


def test_integers_beyond_32_bits_are_refused(tmp_path, network):
    planes = spots((300, 300)).astype(np.int64)
    planes[0, 5, 5] = 2**40
    with pytest.raises(ImageError, match=r"reach 1099511627776, expected at most 2147483647"):
        in_tiles(planes, network, tmp_path)


class Plain:
    """A network whose mask is all of one piece, with a marker only where the nucleus is brightest."""

    name, heads, batch_size, calls, computation = "plain", MESMER_HEADS, 16, 1, Computation()

    def predict(self, batch):
        maxima = (batch[..., :1] > 0.9).astype(np.float32)
        interior = np.ones_like(maxima)
        return np.concatenate([maxima, interior, maxima, interior], axis=-1)


@pytest.fixture
def few_bright_spots():
    planes = np.full((2, 600, 700), 900, np.uint16)
    planes[:, 20:60, 30:60] = planes[:, 400:440, 500:540] = 60000
    return planes


@pytest.mark.slow
def test_blocks_that_need_wide_surroundings_take_turns_and_get_the_same_labels(
    tmp_path, small_units, monkeypatch, few_bright_spots
):
    expected = at_once(few_bright_spots, Plain())
    small_units(100, 2, (200, 200))
    monkeypatch.setattr(budget_module, "PER_WORKER", 90 * 200**2)
    asked = []
    original = labels_module.BlockStore.label

    def noting(self, index, read_maps, parameters, limit):
        asked.append(limit)
        return original(self, index, read_maps, parameters, limit)

    monkeypatch.setattr(labels_module.BlockStore, "label", noting)
    monkeypatch.setattr(budget_module, "FIXED", 0)
    found = in_tiles(few_bright_spots, Plain(), tmp_path, workers=2)
    assert len(set(asked)) == 2
    for compartment, labels in expected.items():
        assert labels.max() > 0
        np.testing.assert_array_equal(found[compartment], labels)


@pytest.mark.slow
def test_blocks_that_need_tiles_which_were_dropped_get_the_same_labels(tmp_path, small_units, monkeypatch):
    rows, columns = np.ogrid[:1600, :500]
    dots = (np.hypot(rows % 50 - 25, columns % 50 - 25) < 8) & (rows < 900)
    planes = np.broadcast_to(np.where(dots, 50_000, 900).astype(np.uint16), (2, 1600, 500))

    class Half(Plain):
        """Finds dots; where there are none, its mask is all of one piece."""

        def predict(self, batch):
            maps = super().predict(batch)
            dotted = batch.std(axis=(1, 2, 3)) > 0.1
            maps[dotted] = (batch[dotted][..., :1] > 0.5).astype(np.float32)
            return maps

    expected = at_once(planes, Half())
    small_units(100, 1, (200, 200))
    monkeypatch.setattr(budget_module, "PER_WORKER", 90 * 300**2)
    monkeypatch.setattr(budget_module, "FIXED", 0)
    again = []

    def noting(store, network, read, group):
        again.append(group)
        predict_group(store, network, read, group)

    monkeypatch.setattr(maxima_module, "predict_group", noting)
    labels = in_tiles(planes, Half(), tmp_path, workers=2)
    assert again
    for compartment, whole in expected.items():
        np.testing.assert_array_equal(labels[compartment], whole)


def test_surroundings_too_wide_for_the_memory_are_an_error_that_says_so(
    tmp_path, small_units, monkeypatch, few_bright_spots
):
    small_units(100, 2, (200, 200))
    monkeypatch.setattr(budget_module, "PER_WORKER", 90 * 200**2)
    monkeypatch.setattr(budget_module, "FIXED", 2**30 - 90 * 300**2)
    with pytest.raises(UncertainError, match="--max_memory"):
        in_tiles(few_bright_spots, Plain(), tmp_path)
