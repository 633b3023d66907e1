"""InstanSeg's graph computes a square with its surroundings as the whole image."""

import io

import numpy as np
import pytest

from cellscale.errors import ModelError
from cellscale.predict.instanseg import SeedNetwork, SquareGrid, converted, square_input
from cellscale.predict.instanseg.instanseg_graph import HALO, instanseg_graph
from tests.predict.instanseg.archive import random_parameters, torchscript_archive

SHAPE = (336, 352)


@pytest.fixture(scope="module")
def network():
    return SeedNetwork(instanseg_graph(random_parameters()), name="random")


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).normal(size=(2, *SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def whole(network, pixels):
    return network.predict(np.clip(pixels, -2, 3)[:, None], np.zeros((2, 2), np.int64))


def square(network, pixels, row, column):
    grid = SquareGrid(SHAPE, square=32)
    image, margins = square_input(lambda region: np.clip(pixels[:, *region.slices], -2, 3), grid, row, column)
    return grid.region(row, column), network.predict(image, margins)


@pytest.mark.slow
@pytest.mark.parametrize("place", [(0, 0), (5, 5), (0, 6), (10, 10), (3, 0)])
def test_a_square_has_the_maps_of_the_whole_image(network, pixels, whole, place):
    region, maps = square(network, pixels, *place)
    np.testing.assert_allclose(maps, whole[:, *region.slices], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_nothing_beyond_the_surroundings_counts(network, pixels):
    region, maps = square(network, pixels, 5, 5)
    other = np.zeros_like(pixels)
    seen = region.grown(HALO, SHAPE)
    other[:, *seen.slices] = pixels[:, *seen.slices]
    assert np.array_equal(square(network, other, 5, 5)[1], maps)


@pytest.mark.slow
def test_channels_may_come_in_any_order(network, pixels):
    part = np.clip(pixels[:, None, :64, :64], -2, 3)
    margins = np.zeros((2, 2), np.int64)
    np.testing.assert_allclose(network.predict(part, margins), network.predict(part[::-1].copy(), margins), atol=1e-4)


def test_the_graph_is_the_same_each_time_and_from_an_archive():
    parameters = random_parameters()
    assert instanseg_graph(parameters) == converted(io.BytesIO(torchscript_archive(parameters)))


def test_another_network_is_told():
    with pytest.raises(ModelError, match=r"no parameter 'fcn.model.AdaptorNet.conv_0.conv0.0.weight'"):
        converted(io.BytesIO(torchscript_archive({"weight": np.zeros(3, np.float32)})))


def test_an_image_is_mirrored_to_a_multiple_of_16():
    plane = np.arange(50 * 70, dtype=np.float32).reshape(1, 50, 70) / 10_000
    image, margins = square_input(lambda region: plane[:, *region.slices], SquareGrid((50, 70)), 0, 0)
    np.testing.assert_array_equal(image[:, 0], np.pad(plane, [(0, 0), (0, 14), (0, 10)], mode="reflect"))
    assert not margins.any()


def test_a_network_of_another_kind_is_told(tiny_model):
    with pytest.raises(ModelError, match="InstanSeg's has image and margins"):
        SeedNetwork(tiny_model)
