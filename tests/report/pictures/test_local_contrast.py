"""Dim parts of an overview are made visible, and nothing is made darker."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from cellscale.report.pictures.local_contrast import evened


@given(rows=st.integers(1, 200), columns=st.integers(1, 200), seed=st.integers(0, 9))
def test_nothing_gets_darker_or_leaves_its_range(rows, columns, seed):
    plane = np.random.default_rng(seed).random((rows, columns), np.float32) * np.float32(0.5)
    found = evened(plane)
    assert found.shape == plane.shape
    assert found.dtype == np.float32
    assert (found >= plane - 1e-6).all()
    assert found.max() <= 1


def test_a_dim_half_is_brightened_and_a_bright_one_stays():
    plane = np.random.default_rng(0).random((512, 1024), np.float32)
    plane[:, :512] *= 0.2
    found = evened(plane)
    assert found[:, :256].mean() > 3 * plane[:, :256].mean()
    assert found[:, 768:].mean() == pytest.approx(plane[:, 768:].mean(), rel=0.02)


def test_black_stays_black():
    assert not evened(np.zeros((100, 100), np.float32)).any()


@given(rows=st.integers(1, 400), columns=st.integers(1, 400), dark=st.floats(0, 1), seed=st.integers(0, 99))
def test_gains_are_what_scipy_makes_of_them(rows, columns, dark, seed):
    random = np.random.default_rng(seed)
    plane = random.random((rows, columns), np.float32) * (random.random((rows, columns)) > dark)
    assert np.array_equal(evened(plane.astype(np.float32)), evened_by_scipy(plane.astype(np.float32)))


def evened_by_scipy(plane):
    squares = [
        [np.quantile(plane[row : row + 64, column : column + 64], 0.95) for column in range(0, plane.shape[1], 64)]
        for row in range(0, plane.shape[0], 64)
    ]
    high = ndimage.gaussian_filter(np.array(squares, np.float32), 1.0, mode="nearest")
    gain = np.clip(0.8 / np.maximum(high, 0.2), 1.0, 4.0)
    at = [(np.arange(side, dtype=np.float32) + 0.5) / 64 - 0.5 for side in plane.shape]
    smooth = ndimage.map_coordinates(gain, np.meshgrid(*at, indexing="ij"), order=1, mode="nearest")
    return np.clip(plane * smooth, 0, 1).astype(np.float32)
