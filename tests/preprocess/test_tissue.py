"""Tissue is told from glass at any share of it, dim parts and holes included."""

import numpy as np
import pytest
from skimage.filters import threshold_triangle

from cellscale.preprocess.tissue import tissue_mask, triangle_threshold


def slide(share, level=40.0, dark=100.0):
    """Return noisy glass with tissue from the left, and which squares are tissue."""
    rng = np.random.default_rng(1)
    tissue = np.zeros((80, 120), np.bool_)
    tissue[:, : round(120 * share)] = True
    brightness = np.where(tissue, level * rng.lognormal(1, 0.7, tissue.shape), 0)
    planes = [dark + rng.normal(0, 1, tissue.shape) + brightness * part for part in (1.0, 0.2)]
    return np.stack(planes).astype(np.float32), tissue


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7, 0.9])
def test_all_tissue_is_found_and_most_glass_is_not(share):
    means, tissue = slide(share)
    found = tissue_mask(means)
    assert found[tissue].all()
    assert found[~tissue].mean() < 0.1 + 6 / (120 * (1 - share))


def test_tissue_is_brighter_than_glass_in_any_channel_and_its_holes_belong_to_it():
    means, tissue = slide(0.4)
    means[0] = 7
    means[1, 20:60, 10:30] = means[1].min()
    assert tissue_mask(means)[tissue].all()


def test_a_lower_factor_takes_more_for_tissue():
    means, _ = slide(0.4)
    shares = [tissue_mask(means, factor).mean() for factor in (0.3, 1, 10)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[2]


def test_nothing_is_tissue_where_all_squares_are_alike():
    assert not tissue_mask(np.full((2, 9, 9), 5, np.float32)).any()


@pytest.mark.parametrize("seed", range(20))
def test_the_threshold_is_scikit_images(seed):
    rng = np.random.default_rng(seed)
    tail = rng.exponential(2, rng.integers(2, 3000))
    values = np.concatenate([rng.normal(0, 0.3, rng.integers(1, 3000)), tail if seed % 2 else -tail])
    assert triangle_threshold(values) == threshold_triangle(values)


@pytest.mark.parametrize("values", [[0, 1], [0, 0, 1], [0, 1, 1], [-1e300, 1e300, 0]])
def test_few_values_have_a_threshold_between_them(values):
    assert min(values) <= triangle_threshold(np.array(values, np.float64)) <= max(values)
