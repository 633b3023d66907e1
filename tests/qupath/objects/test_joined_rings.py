"""Holes at corners become part of one ring."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import ndimage

from cellscale.cells.shape_features import RoiForm, roi_codes
from cellscale.cells.text.columns import Dialect
from cellscale.qupath.objects.joined_rings import join_rings
from cellscale.qupath.objects.roi import FORMS, RoiBatch
from tests.cells.scenes import label_masks, traced
from tests.qupath.data_reader import Roi
from tests.qupath.golden import shapes_of

GEOMETRY = FORMS.index(RoiForm.GEOMETRY)
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


@pytest.mark.slow
@settings(max_examples=300)
@given(label_masks(side=16, labels=1))
def test_the_table_and_the_data_file_agree_on_the_form(mask):
    shapes = traced(mask)
    np.testing.assert_array_equal(RoiBatch.of(shapes, Dialect.V0_7).forms, roi_codes(shapes))
    for row, label in enumerate(shapes.labels):
        touching = np.flatnonzero(np.diff(shapes.polygon_offsets)[row : row + 1] == 1)
        assert len(join_rings(shapes, row + touching)[1]) == (roi_codes(shapes)[row] == GEOMETRY) * len(touching), (
            label
        )


def test_scattered_holes_agree_as_well():
    random = np.random.default_rng(0)
    for _ in range(100):
        labels, _ = ndimage.label(random.random((30, 30)) < 0.7)
        shapes = traced(labels.astype(np.uint32))
        np.testing.assert_array_equal(RoiBatch.of(shapes, Dialect.V0_7).forms, roi_codes(shapes))
