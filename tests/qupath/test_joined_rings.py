"""Holes at corners become part of one ring."""

import numpy as np
import pytest

from cellscale.cells.columns import Dialect
from cellscale.cells.geometry import RoiForm
from cellscale.qupath.joined_rings import join_rings
from cellscale.qupath.roi import FORMS, RoiBatch
from tests.qupath.data_reader import Roi
from tests.qupath.golden import shapes_of

SQUARE = [(0, 0), (0, 9), (9, 9), (9, 0)]
NOTCHED = [(0, 0), (0, 9), (9, 9), (9, 2), (7, 2), (7, 0)]
AT_NOTCH = [(7, 2), (5, 2), (5, 4), (7, 4)]
AT_HOLE = [(5, 4), (3, 4), (3, 6), (5, 6)]
INSIDE = [(1, 1), (1, 2), (2, 2), (2, 1)]


def outlines(*polygons):
    return shapes_of([Roi("", (0, 0, 0), None, [list(rings)]) for rings in polygons])


def area(ring) -> float:
    x, y = np.array(ring, dtype=float).T
    return abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2


def test_touching_holes_are_entered_at_their_corners():
    shapes = outlines([SQUARE], [NOTCHED, AT_HOLE, AT_NOTCH], [SQUARE, INSIDE])
    vertices, apart = join_rings(shapes, np.array([1, 2]))
    assert apart.tolist() == [2]
    joined = list(map(tuple, vertices[4:18].tolist()))
    assert sorted(joined) == sorted(NOTCHED + AT_HOLE + AT_NOTCH)
    assert area(joined) == area(NOTCHED) - area(AT_HOLE) - area(AT_NOTCH)
    steps = np.abs(np.diff([*joined, joined[0]], axis=0))
    assert ((steps == 0).sum(axis=1) == 1).all()
    np.testing.assert_array_equal(np.delete(vertices, slice(4, 18), 0), np.delete(shapes.vertices, slice(4, 18), 0))


@pytest.mark.parametrize(
    ("dialect", "forms"),
    [
        (Dialect.V0_5, [RoiForm.GEOMETRY] * 4),
        (Dialect.V0_7, [RoiForm.RECTANGLE, RoiForm.POLYGON, RoiForm.GEOMETRY, RoiForm.POLYGON]),
    ],
)
def test_forms(dialect, forms):
    shapes = outlines([SQUARE], [NOTCHED, AT_NOTCH], [SQUARE, INSIDE], [NOTCHED])
    assert [FORMS[code] for code in RoiBatch.of(shapes, dialect).forms] == forms
