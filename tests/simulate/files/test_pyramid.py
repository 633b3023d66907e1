"""Tiles of all levels, each pixel made once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.simulate.files import pyramid
from cellscale.simulate.files.pyramid import level_shapes, tile_places, tiles

SIDES = st.integers(1, 70)


@pytest.fixture(autouse=True, scope="module")
def small_tiles():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyramid, "TILE", 8)
        yield


def halved(image):
    even = np.pad(image, ((0, 0), (0, image.shape[1] % 2), (0, image.shape[2] % 2)), mode="edge")
    corners = [even[:, i::2, j::2].astype(float) for i in (0, 1) for j in (0, 1)]
    return np.floor(sum(corners) / 4 + 0.5).astype(image.dtype)


@pytest.mark.slow
@given(SIDES, SIDES, st.sampled_from([1, 3]))
def test_tiles_are_those_of_the_halved_images(rows, columns, workers):
    image = np.random.default_rng(rows * 71 + columns).integers(0, 65536, (2, rows, columns), np.uint16)
    made = dict(tiles((rows, columns), lambda region: image[:, *region.slices], workers=workers))
    shapes = level_shapes((rows, columns))
    assert max(shapes[-1]) <= 8
    for level, shape in enumerate(shapes):
        assert image.shape[1:] == shape
        for place in tile_places(shape, level):
            top, left = place.row * 8, place.column * 8
            np.testing.assert_array_equal(made.pop(place), image[:, top : top + 8, left : left + 8])
        image = halved(image)
    assert not made


def test_few_tiles_are_made_ahead():
    made = 0

    def block(region):
        nonlocal made
        made += 1
        return np.zeros((1, *region.shape), np.uint8)

    for seen, _ in enumerate(place for place, _ in tiles((64, 64), block, workers=2) if place.level == 0):
        assert made <= seen + 1 + 2 * 2 + 1
    assert made == 64


def test_an_error_in_a_block_comes_out():
    def block(region):
        if region.left:
            raise ValueError("no such tissue")
        return np.zeros((1, *region.shape), np.uint8)

    with pytest.raises(ValueError, match="no such tissue"):
        list(tiles((16, 64), block, workers=2))
