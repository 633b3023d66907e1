"""Networks that say their own pixel size, channels, values and tiles: one result, however an image is worked on."""

import numpy as np
import pytest

from benchmarks.whole_image import label_image
from cellscale.errors import ImageError
from cellscale.images.array import ArrayImage
from cellscale.images.info import PixelSize
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL
from cellscale.label.resize import nearest_rows_columns
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume.state import RunState
from cellscale.pipeline.segmenting.inputs import network_input
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.predict.blending import blend
from cellscale.predict.heads import COMPARTMENTS, MESMER_HEADS
from cellscale.predict.input_format import Fixed, InputFormat, Percentiles, ZScore, settled_format
from cellscale.predict.network import OnnxNetwork
from cellscale.predict.network_kinds import with_heads
from cellscale.predict.onnx_file import signature_of
from cellscale.predict.tiles import TileGrid
from cellscale.preprocess.rescale import rescaled_reader, rescaled_shape
from cellscale.regions import Region
from tests.pipeline.spots import spots
from tests.predict.tiny_network import tiny_network

SHAPE = (330, 410)
PARAMETERS = {"whole-cell": WHOLE_CELL, "nuclear": NUCLEUS}
MPP = 0.5


def format_with(normalisation, mpp=0.65):
    said = InputFormat(mpp=mpp, channels=("membrane", "nucleus"), normalisation=normalisation, tile=128, overlap=32)
    return settled_format(said, seeds=False)


def network_for(given):
    content = tiny_network(size=given.tile, input_name="slide")
    adapted = with_heads(content, signature_of(content), MESMER_HEADS, COMPARTMENTS, "tiny", given)
    return OnnxNetwork(adapted, threads=1, name="tiny", tile=given.tile)


def in_tiles(planes, network, given, folder, workers=1):
    image = ArrayImage(planes, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(MPP, MPP))
    source = network_input(image, pixel_size=choose_pixel_size(image.info), input_format=given)
    run = ImageRun("image", ignore, Budget(workers, 2**30))
    found = segment_channels(run, RunState(folder), source, network, PARAMETERS)
    return {name: labels.read(image.info.region) for name, labels in found.items()}


def scaled(pixels, how):
    """Return a channel as the network is to see it, by numpy's statistics of all of it."""
    if isinstance(how, Percentiles):
        low, high = np.percentile(pixels, [how.low, how.high])
        offset, divisor = low, high - low + 1e-6
    elif isinstance(how, ZScore):
        offset, divisor = pixels.mean(dtype=np.float64), pixels.std(dtype=np.float64) + 1e-6
    else:
        offset, divisor = how.offset, how.divisor
    values = (pixels.astype(np.float32) - np.float32(offset)) / np.float32(divisor)
    return values if how.clip is None else np.clip(values, *map(np.float32, how.clip))


def at_once(planes, given):
    """Segment with every step on the whole image, its tiles by numpy and the file as it is."""
    factor, size = MPP / given.mpp, planes.shape[1:]
    shape = rescaled_shape(size, factor)
    whole = Region(0, 0, *shape)
    limits = (planes.min(), planes.max())
    plain = [rescaled_reader(lambda part, plane=plane: plane[part.slices], size, factor, limits) for plane in planes]
    seen = np.stack([scaled(read(whole), given.normalisation) for read in plain])
    content = tiny_network(size=given.tile, input_name="input_0")
    network = OnnxNetwork(content, threads=1, tile=given.tile)
    grid = TileGrid.of(shape, given.tile, given.overlap)
    # More around the image than a tile reaches: zeros, or the image mirrored where it is smaller than a tile.
    before = [grid.rows.before, grid.columns.before]
    around = np.pad(seen, [(0, 0), *((one, given.tile) for one in before)])

    def tile(row, column):
        top, left = row * 96, column * 96
        pixels = around[::-1, top : top + given.tile, left : left + given.tile]  # the membrane is first
        return network.predict(np.moveaxis(pixels, 0, -1)[np.newaxis].copy())[0]

    maps = blend(tile, grid, whole)
    found = {}
    for index, (compartment, parameters) in enumerate(PARAMETERS.items()):
        labels = label_image(maps[2 * index], maps[2 * index + 1], parameters, block_size=100_000)
        rows, columns = nearest_rows_columns(Region(0, 0, *size), size, shape)
        found[compartment] = labels[np.ix_(rows, columns)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("normalisation", "block", "group", "step", "workers"),
    [
        (Percentiles(low=1, high=99.8), 96, 1, (100, 130), 3),
        (ZScore(clip=(-1.0, 4.0)), 150, 2, (1000, 64), 2),
        (Fixed(offset=100, divisor=50_000), 1024, 4, (77, 50), 1),
    ],
)
def test_any_cutting_gives_the_labels_of_the_whole_image(
    tmp_path, small_units, normalisation, block, group, step, workers
):
    planes, given = spots(SHAPE, seed=3), format_with(normalisation)
    expected = at_once(planes, given)
    small_units(block, group, step)
    found = in_tiles(planes, network_for(given), given, tmp_path / "state", workers)
    for name, labels in expected.items():
        assert labels.max() > 20
        np.testing.assert_array_equal(found[name], labels)


@pytest.mark.slow
def test_what_was_interrupted_is_finished_with_the_same_labels(tmp_path, small_units):
    planes, given = spots(SHAPE, seed=3), format_with(Percentiles())
    small_units(96, 1, (100, 130))
    network = network_for(given)
    expected = in_tiles(planes, network, given, tmp_path / "whole")
    calls = []

    def failing(batch):
        calls.append(len(batch))
        if len(calls) == 2:
            raise RuntimeError("the power is cut")
        return predict(batch)

    predict, network.predict, network.batch_size = network.predict, failing, 1
    with pytest.raises(RuntimeError, match="power"):
        in_tiles(planes, network, given, tmp_path / "state")
    found = in_tiles(planes, network, given, tmp_path / "state")
    for name, labels in expected.items():
        np.testing.assert_array_equal(found[name], labels)


@pytest.mark.parametrize("normalisation", [Percentiles(), ZScore(), Fixed()])
def test_pixels_that_are_no_numbers_are_refused_whatever_becomes_of_values(tmp_path, normalisation):
    planes = spots((140, 150)).astype(np.float32)
    planes[1, 5, 5] = np.nan
    given = format_with(normalisation, MPP)
    with pytest.raises(ImageError, match="not a number"):
        in_tiles(planes, network_for(given), given, tmp_path)


@pytest.mark.parametrize("normalisation", [Percentiles(), ZScore()])
def test_a_blank_channel_is_nothing(tmp_path, normalisation):
    given = format_with(normalisation, MPP)
    found = in_tiles(np.full((2, 140, 150), 700, np.uint16), network_for(given), given, tmp_path)
    assert not any(labels.any() for labels in found.values())
