"""Dim parts of an overview are made visible, and nothing is made darker."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
