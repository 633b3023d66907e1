"""Random numbers that depend on key and place only."""

import numpy as np

from cellscale.simulate.noise import atlas, child, fractal, key_of, normal, smooth, uniform

KEY = key_of(7)


def test_variates_follow_their_distributions():
    drawn = np.array([uniform(KEY, i) for i in range(20_000)])
    assert abs(np.histogram(drawn, 10, (0, 1))[0] / 2_000 - 1).max() < 0.1
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.02
    bell = np.array([normal(KEY, i) for i in range(20_000)])
    assert abs(bell.mean()) < 0.03
    assert abs(bell.std() - 1) < 0.02
    assert abs(bell).max() < 3.5


def test_streams_of_neighbouring_keys_are_unrelated():
    keys = np.array([child(KEY, i) for i in range(5_000)], np.uint64)
    assert np.unique(keys).size == keys.size
    first, second = ([uniform(key, number) for key in keys] for number in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    assert key_of(1, 2) != key_of(2, 1)


def test_fields_are_smooth_and_centred():
    line = np.array([smooth(KEY, 0.3, x / 100) for x in range(-5_000, 5_000)])
    assert abs(np.diff(line)).max() < 0.05
    assert 0.15 < line.std() < 0.4
    assert abs(line.mean()) < 0.1
    assert fractal(KEY, 1.25, -3.5, 1) == smooth(child(KEY, 0), 1.25, -3.5)


def test_an_atlas_repeats_without_a_seam():
    texture = atlas(KEY, 3.0)
    assert abs(texture.mean()) < 1e-3
    assert abs(texture.std() - 1) < 1e-3
    assert abs(texture[0] - texture[-1]).mean() < 2 * abs(np.diff(texture, axis=0)).mean()
