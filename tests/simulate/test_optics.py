"""From stain to counts."""

import numpy as np
import pytest
from scipy import ndimage

from cellscale.regions import Region
from cellscale.simulate.drawing import weave
from cellscale.simulate.noise import key_of
from cellscale.simulate.optics import Camera, _blurred, _detect, _taps, haze

KEY = key_of(4, 0, 0)


@pytest.mark.parametrize(("sigma", "radius"), [(0.9, 3), (2.6, 7)])
def test_light_spreads_as_a_gaussian(sigma, radius):
    image = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    expected = ndimage.gaussian_filter(image.astype(float), sigma, radius=radius)[radius:-radius, radius:-radius]
    np.testing.assert_allclose(_blurred(image, _taps(sigma, radius)), expected, rtol=1e-5)


def test_noise_grows_with_the_root_of_the_light():
    for photons in (0.0, 50.0, 800.0):
        light = np.full((128, 128), photons, np.float32)
        counts = np.empty(light.shape, np.uint16)
        _detect(light, counts, KEY, (448, 448), (40.0, 2000.0, 1.0, 3.0, 65535.0))
        readings = (counts.astype(float) - 2000) / 40
        assert readings.mean() == pytest.approx(1.035 * photons, rel=0.01, abs=0.1)
        assert readings.std() == pytest.approx(np.sqrt(1.035 * photons + 9), rel=0.05)


def test_fields_of_view_are_darker_in_their_corners():
    light = np.full((1024, 1024), 900, np.float32)
    counts = np.empty(light.shape, np.uint16)
    _detect(light, counts, KEY, (0, 0), (40.0, 100.0, 1.0, 3.0, 65535.0))
    middle, corner = counts[448:576, 448:576].mean(), counts[:64, :64].mean()
    assert 0.8 < corner / middle < 0.95


@pytest.mark.parametrize(("dtype", "step"), [(np.uint8, 1), (np.uint16, 16)])
def test_cameras_read_whole_steps_and_saturate(dtype, step):
    camera = Camera.of(np.dtype(dtype))
    assert (camera.step, camera.ceiling) == (step, np.iinfo(dtype).max)


def test_ground_is_the_same_from_wherever_it_is_seen():
    textures = weave(KEY)
    whole = haze(KEY, Region(0, 0, 90, 100), textures)
    np.testing.assert_array_equal(haze(KEY, Region(13, 27, 90, 83), textures), whole[13:90, 27:83])
    assert whole.min() >= 0
