"""Blending a region equals DeepCell's untiling of the whole image, bit for bit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import windows

from cellscale.predict.blending import blend, window
from cellscale.predict.tiles import TileAxis, TileGrid
from cellscale.regions import Region
from tests.preprocess.channels import assembled


def spline(size: int) -> NDArray[np.float64]:
    """Return the squared-spline window as the notes on Mesmer define it."""
    triangle = windows.triang(size)
    outer = np.abs(2 * triangle) ** 2 / 2
    outer[size // 4 : -(size // 4)] = 0
    inner = 1 - np.abs(2 * (triangle - 1)) ** 2 / 2
    inner[: size // 4] = 0
    inner[-(size // 4) :] = 0
    return (outer + inner) / (outer + inner).max()


def whole(tiles: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Blend all tiles ``(rows, columns, 256, 256, maps)`` at once and crop."""
    rows, columns = tiles.shape[:2]
    padded = (256 + 192 * (rows - 1), 256 + 192 * (columns - 1))
    total = np.zeros((*padded, tiles.shape[-1]))
    for row in range(rows):
        for column in range(columns):
            place = (slice(192 * row, 192 * row + 256), slice(192 * column, 192 * column + 256))
            if padded[0] <= 256 or padded[1] <= 256:
                total[place] = tiles[row, column]
                continue
            down, across = np.ones(256), np.ones(256)
            for weights, index, count in ((down, row, rows), (across, column, columns)):
                if index > 0:
                    weights[:64] = spline(128)[:64]
                if index < count - 1:
                    weights[192:] = spline(128)[64:]
            total[place] += tiles[row, column] * np.outer(down, across)[..., None]
    before = [
        (extent - length) // 2 if length < 256 else math.ceil((extent - length) / 2)
        for extent, length in zip(padded, shape, strict=True)
    ]
    cropped = total.astype(np.float32)[before[0] : before[0] + shape[0], before[1] : before[1] + shape[1]]
    return np.moveaxis(cropped, -1, 0)


@given(
    shape=st.tuples(st.integers(1, 900), st.integers(1, 900)),
    size=st.tuples(st.integers(50, 900), st.integers(50, 900)),
    maps=st.integers(1, 3),
)
@settings(max_examples=30)
def test_any_partition_equals_the_whole(shape: tuple[int, int], size: tuple[int, int], maps: int) -> None:
    grid = TileGrid.of(shape)
    tiles = np.random.default_rng(shape[0]).random((grid.rows.count, grid.columns.count, 256, 256, maps), np.float32)
    found = assembled(lambda region: blend(lambda row, column: tiles[row, column], grid, region), shape, size)
    np.testing.assert_array_equal(found, whole(tiles, shape))
    assert found.dtype == np.float32


@pytest.mark.parametrize(("side", "overlap", "rtol"), [(256, 64, 3e-4), (128, 64, 3e-4), (128, 16, 6e-3)])
def test_equal_tiles_blend_nearly_to_themselves(side: int, overlap: int, rtol: float) -> None:
    # The windows are normalised by their maximum, a little below 1, so that they do not add up to exactly 1.
    grid = TileGrid.of((1000, 1100), side, overlap)
    tile = np.full((side, side, 2), 0.75, np.float32)
    found = blend(lambda row, column: tile, grid, Region(0, 0, 1000, 1100))
    np.testing.assert_allclose(found, 0.75, rtol=rtol)


@pytest.mark.parametrize("shape", [(200, 900), (900, 256)])
def test_a_single_row_or_column_of_tiles_is_not_blended(shape: tuple[int, int]) -> None:
    grid = TileGrid.of(shape)
    found = blend(lambda row, column: np.full((256, 256, 1), row + column, np.float32), grid, Region(0, 0, *shape))
    along = found[0].max(axis=int(np.argmin(shape)))
    axis = TileAxis(max(shape))
    last = [axis.touching(pixel, pixel + 1)[-1] for pixel in range(axis.length)]
    np.testing.assert_array_equal(along, last)


def test_each_tile_is_read_once_in_raster_order() -> None:
    grid = TileGrid.of((1024, 1024))
    asked: list[tuple[int, int]] = []

    def read_tile(row: int, column: int) -> NDArray[np.float32]:
        asked.append((row, column))
        return np.zeros((256, 256, 1), np.float32)

    region = Region(10, 250, 600, 700)
    blend(read_tile, grid, region)
    assert asked == grid.touching(region)


def test_windows_of_neighbours_add_up_to_about_one() -> None:
    axis = TileAxis(1024)
    np.testing.assert_allclose(window(axis, 1)[192:] + window(axis, 2)[:64], 1, atol=2e-4)
    assert (window(axis, 0)[:192] == 1).all()
    assert (window(axis, 4)[64:] == 1).all()
