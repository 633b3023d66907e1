"""Tiles cover the image as DeepCell's do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellscale.predict.tiles import STRIDE, TILE, TileAxis, TileGrid, tile_input
from cellscale.regions import Region
from tests.preprocess.channels import reader


@pytest.mark.parametrize(
    ("length", "count", "before"),
    [
        (1, 1, 127),
        (180, 1, 38),
        (255, 1, 0),
        (256, 1, 0),
        (257, 2, 96),
        (300, 2, 74),
        (447, 2, 1),
        (448, 2, 0),
        (449, 3, 96),
        (512, 3, 64),
        (1024, 5, 0),
    ],
)
def test_count_and_padding(length: int, count: int, before: int) -> None:
    axis = TileAxis(length)
    assert (axis.count, axis.before) == (count, before)


@given(st.integers(1, 3000), st.data())
def test_touching_is_every_tile_that_shows_the_pixels(length: int, data: st.DataObject) -> None:
    axis = TileAxis(length)
    start = data.draw(st.integers(0, length - 1))
    stop = data.draw(st.integers(start + 1, length))
    expected = [i for i in range(axis.count) if axis.inside(i)[0] < stop and axis.inside(i)[1] > start]
    assert list(axis.touching(start, stop)) == expected


@given(st.integers(1, 10**10))
def test_tiles_cover_an_axis_of_any_length(length: int) -> None:
    axis = TileAxis(length)
    assert axis.start(0) <= 0
    assert axis.start(axis.count - 1) + TILE >= length
    after = axis.start(axis.count - 1) + TILE - length
    assert abs(axis.before - after) <= 1


@given(st.tuples(st.integers(1, 700), st.integers(1, 700)))
@settings(max_examples=30)
def test_inputs_are_cut_from_the_padded_image(shape: tuple[int, int]) -> None:
    image = np.arange(2 * shape[0] * shape[1], dtype=np.float32).reshape(2, *shape) + 1
    grid = TileGrid.of(shape)
    padded = image
    for dimension, length in enumerate(shape, start=1):
        count = max(int(np.ceil((length - 256) / 192 + 1)), 1)
        missing = 256 + 192 * (count - 1) - length
        half = missing // 2 if length < 256 else int(np.ceil(missing / 2))
        padding = [(0, 0)] * 3
        padding[dimension] = (half, missing - half)
        padded = np.pad(padded, padding, mode="reflect" if length < 256 else "constant")
    for row in range(grid.rows.count):
        for column in range(grid.columns.count):
            found = tile_input(reader(image), grid, row, column)
            window = (
                slice(None),
                slice(STRIDE * row, STRIDE * row + TILE),
                slice(STRIDE * column, STRIDE * column + TILE),
            )
            np.testing.assert_array_equal(np.moveaxis(found, -1, 0), padded[window])
            assert found.flags.c_contiguous
            assert found.dtype == np.float32


def test_a_single_pixel_fills_a_tile() -> None:
    image = np.array([0.25, 0.5], np.float32).reshape(2, 1, 1)
    found = tile_input(reader(image), TileGrid.of((1, 1)), 0, 0)
    np.testing.assert_array_equal(found, np.broadcast_to(np.float32([0.25, 0.5]), (256, 256, 2)))


def test_touching_tiles_are_in_raster_order() -> None:
    grid = TileGrid.of((1024, 1024))
    assert grid.touching(Region(190, 250, 193, 257)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert grid.touching(Region(0, 0, 1, 1)) == [(0, 0)]
    assert len(grid.touching(Region(0, 0, 1024, 1024))) == grid.count == 25
