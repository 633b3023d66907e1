"""Objects are counted once, where they are."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cellscale.cells.scratch_arrays import Scratch
from cellscale.report.cells_and_nuclei import at_border
from tests.report.scenes import census_of, squares

SHAPE = (200, 300)
CELLS = squares(SHAPE, [(0, 50), (95, 95), (150, 250), (50, 280)], 20)
NUCLEI = squares(SHAPE, [(5, 55), (100, 100), (20, 200)], 8)


@pytest.fixture(scope="module")
def taken():
    with ThreadPoolExecutor(2) as pool, Scratch() as scratch:
        yield {
            "both": census_of(CELLS, NUCLEI, pool, scratch),
            "cells": census_of(CELLS, None, pool, scratch),
            "nuclei": census_of(None, NUCLEI, pool, scratch),
        }


def test_objects_without_a_partner_are_known(taken):
    assert taken["both"].lone_cells.tolist() == [False, False, True, True]
    assert taken["both"].lone_nuclei.tolist() == [False, False, True]


def test_one_mask_alone_has_no_partners_to_miss(taken):
    assert not taken["cells"].lone_cells.any()
    assert not taken["nuclei"].lone_nuclei.any()
    assert len(taken["cells"].nuclei) == 0


def test_each_object_is_in_one_tile(taken):
    counts = taken["both"].tiles(SHAPE, 100)
    assert counts.cells.tolist() == [[1, 0, 1], [0, 1, 1]]
    assert counts.nuclei.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert counts.alone.tolist() == [[0, 0, 2], [0, 0, 1]]


def test_objects_at_the_border_are_counted(taken):
    assert at_border(taken["both"].cells, SHAPE) == 2
    assert at_border(taken["both"].nuclei, SHAPE) == 0
    assert np.array_equal(taken["both"].cells.pixels, [400] * 4)
