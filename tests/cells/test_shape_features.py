"""Shape features against brute force."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from cellscale.cells.shape_features import RoiForm, centroids, extents, roi_codes, shape_features, stored_centroids
from tests.cells.scenes import label_masks, traced


def corners(mask, label):
    y, x = np.nonzero(mask == label)
    return np.unique([(a + i, b + j) for a, b in zip(x, y, strict=True) for i in (0, 1) for j in (0, 1)], axis=0)


def enclosing_diameter(points):
    """Try all circles on two and three points."""
    candidates = [((a + b) / 2, np.hypot(*(a - b)) / 2) for a, b in combinations(points, 2)]
    for a, b, c in combinations(points, 3):
        matrix = 2 * np.array([b - a, c - a])
        if abs(np.linalg.det(matrix)) > 1e-9:
            center = np.linalg.solve(matrix, [b @ b - a @ a, c @ c - a @ a])
            candidates.append((center, np.hypot(*(center - a))))
    return 2 * min(r for center, r in candidates if np.hypot(*(points - center).T).max() <= r * (1 + 1e-9))


@given(label_masks(6, 2), st.sampled_from([(0.5, 0.25), (0.377, 0.5), (0.3774, 0.3774), (1, 1)]))
def test_features_are_those_of_the_corners(mask, size):
    shapes = traced(mask)
    features = shape_features(shapes, size)
    for index, label in enumerate(shapes.labels):
        points = (corners(mask, label) * size).astype(np.float32).astype(np.float64)
        hull = ConvexHull(points)
        normals = hull.equations[:, :2]
        width = np.ptp(points @ normals.T, axis=0).min()
        area = (mask == label).sum() * size[0] * size[1]
        padded = np.pad(mask == label, 1)
        length = (padded[1:] != padded[:-1]).sum() * size[0] + (padded[:, 1:] != padded[:, :-1]).sum() * size[1]
        expected = [area, length, area / hull.volume, enclosing_diameter(points[hull.vertices]), width]
        np.testing.assert_allclose(features[index, [0, 1, 3, 4, 5]], expected, rtol=1e-6)


def test_features_of_a_rectangle():
    shapes = traced(np.ones((3, 4), dtype=np.uint32))
    np.testing.assert_allclose(shape_features(shapes, (1, 1))[0], [12, 14, 48 * np.pi / 196, 1, 5, 3])


def test_circularity_fills_holes_and_needs_one_part():
    ring = np.ones((3, 3), dtype=np.uint32)
    ring[1, 1] = 0
    assert shape_features(traced(ring), (1, 1))[0, 2] == pytest.approx(np.pi / 4)
    assert np.isnan(shape_features(traced(np.eye(2, dtype=np.uint32)), (1, 1))[0, 2])


def test_coordinates_are_rounded_to_float32_after_scaling():
    mask = np.zeros((2, 3001), dtype=np.uint32)
    mask[:, 3000] = 1
    width = float(np.float32(3001 * 0.377)) - float(np.float32(3000 * 0.377))
    height = float(np.float32(2 * 0.377))
    assert width != 0.377
    assert shape_features(traced(mask), (0.377, 0.377))[0, 0] == pytest.approx(width * height, rel=1e-14)


@given(label_masks())
def test_centroids_are_the_mean_of_pixel_centers(mask):
    shapes = traced(mask)
    found, sizes = centroids(shapes), extents(shapes)
    for index, label in enumerate(shapes.labels):
        y, x = np.nonzero(mask == label)
        np.testing.assert_allclose(found[index], [x.mean() + 0.5, y.mean() + 0.5], rtol=1e-13)
        assert sizes[index, 0] == len(y)


def test_stored_centroids_lie_on_a_grid():
    mask = np.array([[1, 1, 1], [0, 0, 1], [0, 0, 1]])
    assert stored_centroids(traced(mask)).tolist() == [[np.float32(1.9), np.float32(1.1)]]
    mask = np.array([[1, 1], [1, 0]])
    assert stored_centroids(traced(mask)).tolist() == [[np.float32(0.83), np.float32(0.83)]]


def forms(mask):
    return [list(RoiForm)[code] for code in roi_codes(traced(mask))]


@pytest.mark.parametrize(
    ("mask", "form"),
    [
        ([[1, 1], [1, 1]], RoiForm.RECTANGLE),
        ([[1, 1], [1, 0]], RoiForm.POLYGON),
        ([[1, 0], [0, 1]], RoiForm.GEOMETRY),
        ([[1, 1, 1], [1, 0, 1], [1, 1, 1]], RoiForm.GEOMETRY),
        ([[0, 1, 1], [1, 0, 1], [1, 1, 1]], RoiForm.POLYGON),
        ([[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]], RoiForm.POLYGON),
        ([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]], RoiForm.GEOMETRY),
    ],
)
def test_forms_of_outlines(mask, form):
    assert forms(np.array(mask)) == [form]


def test_forms_of_several_outlines_do_not_mix():
    mask = np.array([[0, 1, 1, 2, 2, 2, 3], [1, 0, 1, 2, 0, 2, 0], [1, 1, 1, 2, 2, 2, 3]])
    assert forms(mask) == [RoiForm.POLYGON, RoiForm.GEOMETRY, RoiForm.GEOMETRY]
