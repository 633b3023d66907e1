"""A block proves itself, can be stored, and asks for no more than it needs."""

import numpy as np
import pytest

from benchmarks.whole_image import label_image
from cellscale.errors import ImageError
from cellscale.label.block import LabelledBlock, label_block
from cellscale.label.mosaic import Mosaic
from cellscale.label.numbering import Resolution, finish_block, finish_region, resolve_objects
from cellscale.label.objects import merge_objects
from cellscale.label.parameters import WHOLE_CELL, Parameters
from cellscale.regions import Region, blocks

SHARP = Parameters(maxima_threshold=0.075, interior_smoothing=0)


def _reader(maxima, interior, regions=None):
    def read(region):
        if regions is not None:
            regions.append(region)
        return maxima[region.slices], interior[region.slices]

    return read


def _strip(length):
    """One object along the whole image, with its marker at the left end."""
    maxima = np.zeros((20, length), np.float32)
    interior = np.zeros((20, length), np.float32)
    interior[8:12] = 1
    maxima[9:11, 3] = 1
    return maxima, interior


def test_the_halo_is_doubled_until_the_block_is_certain():
    maxima, interior = _strip(400)
    block = label_block(_reader(maxima, interior), Region(0, 200, 20, 220), (20, 400), SHARP, halo=32)
    assert block.certificate.halo == 256
    assert block.certificate.enlargements == 3
    assert block.objects.identities.tolist() == [9 * 400 + 3 + 1]
    assert (block.labels == (interior[:, 200:220] > 0)).all()


def test_blank_blocks_ask_once_and_report_no_object():
    regions = []
    blank = np.zeros((200, 200), np.float32)
    block = label_block(_reader(blank, blank, regions), Region(64, 64, 128, 128), (200, 200), WHOLE_CELL, halo=10)
    assert regions == [Region(46, 46, 146, 146)]
    assert len(block.objects) == 0
    assert not block.labels.any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", [0, 1])
def test_values_that_are_not_finite_are_refused(value, index):
    maps = [np.zeros((9, 9), np.float32), np.zeros((9, 9), np.float32)]
    maps[index][3, 4] = value
    with pytest.raises(ImageError, match="not finite in rows 0 to 8"):
        label_image(*maps, WHOLE_CELL)


def test_a_halo_of_nothing_is_refused():
    blank = np.zeros((9, 9), np.float32)
    with pytest.raises(ValueError, match="at least 1"):
        label_block(_reader(blank, blank), Region(0, 0, 9, 9), (9, 9), WHOLE_CELL, halo=0)


def test_blocks_that_would_need_too_much_memory_are_refused():
    def read(region):
        pytest.fail(f"asked for {region}")

    with pytest.raises(ImageError, match="does not suffice"):
        label_block(read, Region(0, 0, 10, 10), (2**20, 2**20), WHOLE_CELL, halo=2**15)


@pytest.fixture(scope="module")
def cells():
    random = np.random.default_rng(5)
    rows, columns = np.indices((150, 170))
    maxima = np.zeros((150, 170))
    for row, column in random.uniform(0, 150, (60, 2)):
        maxima = np.maximum(maxima, 1 - np.hypot(rows - row, columns - column) / 12)
    return maxima.astype(np.float32), (maxima * (random.random(maxima.shape) < 0.97)).astype(np.float32)


@pytest.mark.parametrize("size", [(64, 48), (150, 170)])
def test_stored_blocks_finish_as_the_whole_image(tmp_path, cells, size):
    shape = cells[0].shape
    regions = list(blocks(shape, size))
    for index, core in enumerate(regions):
        np.savez(tmp_path / f"{index}.npz", **label_block(_reader(*cells), core, shape, SHARP, halo=8).to_arrays())

    def load(index):
        with np.load(tmp_path / f"{index}.npz") as arrays:
            return LabelledBlock.from_arrays(arrays)

    mosaic = Mosaic(shape, size, load)
    objects = merge_objects(load(index).objects for index in range(len(regions)))
    resolution = Resolution.from_arrays(resolve_objects([objects], mosaic.identities, shape, SHARP).to_arrays())
    expected = label_image(*cells, SHARP)
    assert expected.max() == len(resolution) > 40
    assert resolution.patch_pixels.size > 0
    for index, core in enumerate(regions):
        np.testing.assert_array_equal(finish_block(load(index), resolution), expected[core.slices])
    for region in (Region(0, 0, *shape), Region(60, 40, 70, 99), Region(149, 169, 150, 170)):
        labels = finish_region(mosaic.identities(region), resolution, region)
        np.testing.assert_array_equal(labels, expected[region.slices])
