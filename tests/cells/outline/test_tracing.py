"""Outlines equal the pixel sets and are valid polygons."""

import numpy as np
from hypothesis import given
from scipy import ndimage

from cellscale.cells.outline.packed_outlines import shapes_of
from cellscale.cells.outline.tracing import trace
from cellscale.regions import Region
from tests.cells.scenes import label_masks, rings, traced

FOUR = ndimage.generate_binary_structure(2, 1)


def area2(ring):
    x, y = ring.astype(np.int64).T
    return int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def filled(polygons, shape):
    """Fill by the even-odd rule, counting the vertical edges left of each pixel."""
    crossings = np.zeros((shape[0], shape[1] + 1), dtype=np.int64)
    for ring in polygons:
        for (x, y), (next_x, next_y) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            assert (x == next_x) != (y == next_y)
            if x == next_x:
                crossings[min(y, next_y) : max(y, next_y), x] += 1
    return np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1


@given(label_masks())
def test_outlines_hold_exactly_the_pixels_of_each_label(mask):
    shapes = traced(mask)
    for index, label in enumerate(shapes.labels):
        everything = [ring for polygon in rings(shapes, index) for ring in polygon]
        np.testing.assert_array_equal(filled(everything, mask.shape), mask == label)


@given(label_masks())
def test_each_part_is_a_polygon_and_each_enclosed_background_a_hole(mask):
    shapes = traced(mask)
    for index, label in enumerate(shapes.labels):
        parts, count = ndimage.label(mask == label, FOUR)
        polygons = rings(shapes, index)
        assert len(polygons) == count
        for part, polygon in enumerate(polygons, 1):
            np.testing.assert_array_equal(
                filled(polygon[:1], mask.shape) & (mask == label) & (parts == part), parts == part
            )
            background = ndimage.label(np.pad(parts != part, 1, constant_values=True), FOUR)[1]
            assert len(polygon) == background
            np.testing.assert_array_equal(filled(polygon, mask.shape), parts == part)


@given(label_masks())
def test_rings_are_simple_and_run_with_the_object_on_the_left(mask):
    shapes = traced(mask)
    for index in range(len(shapes)):
        for polygon in rings(shapes, index):
            for number, ring in enumerate(polygon):
                assert len(np.unique(ring, axis=0)) == len(ring)
                steps = np.sign(np.diff(ring, axis=0, append=ring[:1]))
                assert (steps * np.roll(steps, 1, axis=0) == 0).all(), "a vertex on a straight line"
                assert (area2(ring) < 0) == (number == 0)
            top, left = polygon[0][:, ::-1].tolist()[0]
            assert (top, left) == min((y, x) for x, y in polygon[0].tolist())
            assert polygon[0][1, 0] == left
            assert polygon[0][1, 1] > top


@given(label_masks())
def test_outlines_do_not_depend_on_the_window(mask):
    shapes = traced(mask)
    placed = np.full((mask.shape[0] + 5, mask.shape[1] + 9), 7, dtype=np.uint32)
    placed[2:-3, 4:-5] = mask
    region = Region(98, 196, 98 + placed.shape[0], 196 + placed.shape[1])
    boxes = shapes.boxes + np.array([100, 200, 100, 200])
    moved = shapes_of(trace(placed, region, shapes.labels.astype(np.uint32), boxes), shapes.labels, boxes)
    np.testing.assert_array_equal(moved.vertices, shapes.vertices + np.array([200, 100]))
    np.testing.assert_array_equal(moved.ring_offsets, shapes.ring_offsets)


def test_a_pixel_is_a_square():
    assert rings(traced(np.array([[0, 0], [0, 9]])), 0)[0][0].tolist() == [[1, 1], [1, 2], [2, 2], [2, 1]]


def test_pixels_that_touch_at_a_corner_are_two_polygons():
    polygons = rings(traced(np.eye(2, dtype=np.uint32)), 0)
    assert [len(polygon) for polygon in polygons] == [1, 1]


def test_a_background_that_touches_the_outside_at_a_corner_is_a_hole():
    mask = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 1]])
    outer, hole = rings(traced(mask), 0)[0]
    assert sorted(hole.tolist()) == [[1, 1], [1, 2], [2, 1], [2, 2]]
    assert area2(outer) == -16


def test_a_part_inside_a_hole_of_another_part_is_a_polygon_of_its_own():
    mask = np.ones((7, 7), dtype=np.uint32)
    mask[1:6, 1:6] = 0
    mask[2:5, 2:5] = 1
    mask[3, 3] = 0
    polygons = rings(traced(mask), 0)
    assert [[len(ring) for ring in polygon] for polygon in polygons] == [[4, 4], [4, 4]]
    assert [area2(ring) for ring in polygons[1]] == [-18, 2]


def test_a_comb_with_thousands_of_corners_is_traced():
    mask = np.zeros((400, 401), dtype=np.uint32)
    mask[:, ::2] = 2**32 - 1
    mask[0] = 2**32 - 1
    shapes = traced(mask)
    assert shapes.labels.tolist() == [2**32 - 1]
    assert len(shapes.vertices) == 4 + 4 * 200


def test_nothing_gives_nothing():
    assert len(traced(np.zeros((3, 3), dtype=np.uint32))) == 0
