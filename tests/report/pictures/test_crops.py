"""Crops show the parts of an image that are worth a look."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cellscale.cells.scratch_arrays import Scratch
from cellscale.report.pictures.crops import SIDE, choose_crops
from tests.report.scenes import census_of, squares

SHAPE = (3 * SIDE, 4 * SIDE + 100)
TILES = (3, 5)


def in_tile(row, column, count, first=20):
    return [(row * SIDE + first + 30 * (n // 15), column * SIDE + first + 30 * (n % 15)) for n in range(count)]


def crops(cells, nuclei=None, signal=None, seams=10_000.0):
    with ThreadPoolExecutor(2) as pool, Scratch() as scratch:
        census = census_of(cells, nuclei, pool, scratch, step=1024)
        counts = census.tiles(cells.shape, SIDE)
        signal = np.ones(counts.cells.shape) if signal is None else signal
        chosen = choose_crops(census, counts, signal, cells.shape, seams)
    return {why: choice.region for choice in chosen for why in choice.whys}


def tile(row, column):
    return row * SIDE, column * SIDE


@pytest.fixture(scope="module")
def cells():
    every = [corner for row in range(3) for column in range(4) for corner in in_tile(row, column, 12)]
    return squares(SHAPE, [*every, *in_tile(1, 1, 40, first=200)], 20)


def test_most_objects_and_most_disagreement(cells):
    nuclei = np.where(cells > 0, cells, 0)
    nuclei[2 * SIDE :, SIDE : 2 * SIDE] = 0
    found = crops(cells, nuclei)
    assert (found["most"].top, found["most"].left) == tile(1, 1)
    assert (found["doubt"].top, found["doubt"].left) == tile(2, 1)
    assert all(region.shape == (SIDE, SIDE) for region in found.values())


def test_fewest_objects_are_looked_for_where_there_is_signal(cells):
    signal = np.full(TILES, 5.0)
    some = cells.copy()
    for place in ((0, 2), (2, 3)):
        rows, columns = (slice(index * SIDE, (index + 1) * SIDE) for index in place)
        some[rows, columns] = 0
    signal[0, 2] = 0.1
    found = crops(some, signal=signal)
    assert (found["fewest"].top, found["fewest"].left) == tile(2, 3)


def test_a_crop_at_a_seam_has_it_in_the_middle():
    across = [(990, 40 + 30 * n) for n in range(10)]
    found = crops(squares(SHAPE, [*across, *in_tile(0, 3, 30)], 40), seams=1000.0)
    region = found["seam"]
    assert (region.top + region.bottom) / 2 == 1000
    assert region.left == 0


def test_no_seam_is_shown_where_no_object_lies_across_one():
    assert "seam" not in crops(squares(SHAPE, in_tile(0, 0, 5), 20), seams=500.0)


def test_one_part_may_be_chosen_for_two_reasons():
    found = crops(squares(SHAPE, in_tile(0, 1, 9), 20), nuclei=np.zeros(SHAPE, np.int32))
    assert found["most"] == found["doubt"]


def test_small_and_empty_images_need_no_crops():
    assert crops(squares((SIDE, SIDE), in_tile(0, 0, 5), 20)) == {}
    assert crops(np.zeros(SHAPE, np.int32)) == {}


def test_crops_lie_inside_images_narrower_than_a_crop():
    found = crops(squares((60, 2000), [(10, 1900), (10, 100), (10, 1950)], 20))
    assert found["most"].shape == (60, SIDE)
    assert found["most"].right == 2000
