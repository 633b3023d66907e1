"""Where cells settle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellscale.regions import Region
from cellscale.simulate.anatomy import Zone, zones
from cellscale.simulate.cell_placement import PATCH, REACH, Settlement
from cellscale.simulate.kinds import BUILDS, MIXTURES, Kind, mixture_table
from cellscale.simulate.noise import key_of

KEY = key_of(3, 0, 0)


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    return Settlement(KEY).near(Region(0, 0, 1024, 1024))


@settings(max_examples=8)
@given(st.permutations([(row, column) for row in (0, 1) for column in (-1, 0, 1)]))
def test_a_patch_does_not_depend_on_what_was_asked_for_before(order):
    alone = {place: Settlement(KEY).patch(*place) for place in order}
    together = Settlement(KEY)
    for place in order:
        np.testing.assert_array_equal(together.patch(*place), alone[place])


def test_cells_lie_in_their_patch():
    cells = Settlement(KEY).patch(-2, 5)
    assert ((cells["y"] >= -2 * PATCH) & (cells["y"] < -PATCH)).all()
    assert ((cells["x"] >= 5 * PATCH) & (cells["x"] < 6 * PATCH)).all()


@pytest.mark.slow
def test_cells_keep_their_distance_across_patches(cells):
    offsets = np.stack([cells["y"], cells["x"]], 1)
    gaps = np.linalg.norm(offsets[:, None] - offsets[None], axis=2) + 1e9 * np.eye(len(cells))
    narrow = np.minimum(cells["wide"], cells["long"])
    least = 0.74 * (narrow[:, None] + narrow[None])
    assert (gaps >= least).all()


def test_no_cell_is_larger_than_its_reach(cells):
    assert (1.3 * cells["reach"] * cells["long"] + 4 < 1.05 * REACH).all()
    assert (cells["nucleus_long"] < cells["long"]).all()
    assert (cells["nucleus_wide"] < cells["wide"]).all()


def test_every_sort_of_cell_settles(cells):
    assert set(cells["kind"]) == set(Kind)
    assert np.unique(cells["key"]).size == cells.size


def test_cells_settle_on_their_own_ground():
    settlement = Settlement(KEY)
    cells = settlement.near(Region(0, 0, 2048, 2048))
    lymphoid = np.array([zones(KEY, (int(c["y"]), int(c["x"])), 1, (1, 1))[0, 0] == Zone.LYMPHOID for c in cells])
    b_cells = cells["kind"] == Kind.B
    assert np.mean(lymphoid[b_cells]) > 5 * np.mean(lymphoid[cells["kind"] == Kind.FIBROBLAST])
    assert Kind.EPITHELIAL not in cells["kind"][lymphoid]


def test_empty_ground_stays_empty():
    cells = Settlement(KEY).near(Region(0, 0, 2048, 2048))
    inside = cells[
        (cells["kind"] != Kind.COLUMNAR) & (cells["kind"] != Kind.ENDOTHELIAL) & (cells["kind"] != Kind.MUSCLE)
    ]
    found = [zones(KEY, (round(c["y"]), round(c["x"])), 1, (1, 1))[0, 0] for c in inside]
    assert np.mean(np.array(found) == Zone.EMPTY) < 0.005


def test_the_tables_cover_all_sorts():
    assert set(BUILDS) == set(Kind)
    np.testing.assert_allclose(mixture_table()[[zone for zone in Zone if zone in MIXTURES], -1], 1)
    assert not mixture_table()[Zone.EMPTY].any()
