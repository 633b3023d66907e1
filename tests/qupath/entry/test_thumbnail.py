"""The thumbnail looks like QuPath's."""

from dataclasses import replace

import imagecodecs
import numpy as np
import pytest

from cellscale.images.array import ArrayImage
from cellscale.images.open import open_image
from cellscale.qupath.entry import thumbnail
from cellscale.qupath.entry.thumbnail import render_thumbnail, thumbnail_jpeg
from tests.qupath.golden import golden_project


class Levels:
    """An image with a pyramid that counts what is read."""

    def __init__(self, *planes):
        self.planes = planes
        self.info = replace(ArrayImage(planes[0]).info, levels=tuple(plane.shape[1:] for plane in planes))
        self.pixels = 0

    def read(self, channels, region, level=0):
        self.pixels = max(self.pixels, region.size)
        return self.planes[level][list(channels)][(slice(None), *region.slices)]

    def close(self):
        pass


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_images_of_one_row_or_column_have_one(shape):
    picture = imagecodecs.jpeg8_decode(thumbnail_jpeg(ArrayImage(np.full((2, *shape), 300, np.uint16))))
    assert picture.shape == (*shape, 3)


@pytest.mark.parametrize(("case", "name"), [("aniso", "aniso"), ("chan8c", "chan8c"), ("tiny", "tiny")])
def test_it_is_close_to_qupaths(shared, case, name):
    theirs = imagecodecs.jpeg8_decode((golden_project(shared, case, "0.5.1") / "data/1/thumbnail.jpg").read_bytes())
    with open_image(shared / "qupath" / "golden" / case / "OMETIFF" / f"{name}.ome.tiff") as image:
        ours = imagecodecs.jpeg8_decode(thumbnail_jpeg(image))
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).mean() < 4


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((40, 30), (40, 30)),
        ((1, 1), (1, 1)),
        ((600, 1000), (600, 1000)),
        ((1200, 100), (600, 50)),
        ((10, 5000), (2, 1000)),
        ((1, 9000), (1, 1000)),
        ((1201, 1999), (600, 998)),
    ],
)
def test_it_fits_and_is_never_enlarged(shape, expected):
    pixels = np.arange(np.prod(shape), dtype=np.float32).reshape(1, *shape)
    assert render_thumbnail(ArrayImage(pixels)).shape == (*expected, 3)


def test_bands_do_not_show(monkeypatch):
    pixels = np.random.default_rng(1).integers(0, 4000, (1, 1300, 110)).astype(np.uint16)
    whole = render_thumbnail(ArrayImage(pixels))
    monkeypatch.setattr(thumbnail, "_BAND_PIXELS", 110 * 7)
    image = Levels(pixels)
    np.testing.assert_array_equal(render_thumbnail(image), whole)
    assert image.pixels <= 110 * 7


def test_a_small_level_is_enough():
    black, bright = np.zeros((1, 4096, 4096), np.uint8), np.eye(512, dtype=np.uint8)[np.newaxis]
    image = Levels(black, black[:, ::2, ::2], bright)
    assert render_thumbnail(image).max() == 255
    assert image.pixels == 512 * 512


def test_channels_are_stretched_and_blended_in_their_colors():
    values = np.linspace(0, 100, 10_000).reshape(100, 100)
    picture = render_thumbnail(ArrayImage(np.stack([values, 1000 - values, 0 * values])))
    red, green, blue = (picture[..., axis].astype(int) for axis in range(3))
    assert np.abs(red + green - 254).max() <= 2
    assert (red.min(), red.max()) == (0, 255)
    assert blue.max() == 0


@pytest.mark.parametrize("value", [0, 7, 65535, 3e38, np.nan, np.inf])
def test_a_constant_image_is_black(value):
    assert render_thumbnail(ArrayImage(np.full((1, 20, 20), value, np.float32))).max() == 0


@pytest.mark.parametrize("values", [(65534, 65535), (-3e38, 3e38)])
def test_two_values_far_from_zero_are_black_and_bright(values):
    pixels = np.resize(np.array(values, np.float32), (1, 20, 20))
    assert np.unique(render_thumbnail(ArrayImage(pixels))).tolist() == [0, 255]


def test_a_few_hot_pixels_do_not_darken_the_rest():
    values = np.linspace(0, 100, 10_000).reshape(100, 100)
    values[0, :5] = 400
    assert np.median(render_thumbnail(ArrayImage(values[np.newaxis]))) > 50


@pytest.mark.parametrize("shape", [(80, 90), (1300, 300)], ids=["whole", "smaller"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_that_are_looked_up_look_as_they_do_one_by_one(dtype, shape):
    random = np.random.default_rng(2)
    planes = (random.poisson(60, (4, *shape)) * random.choice([0, 1, 1, 2], (4, *shape))).astype(dtype)
    planes[1, :9] = np.iinfo(dtype).max
    planes[2] = 7
    looked_up = render_thumbnail(ArrayImage(planes))
    assert looked_up.flags.c_contiguous
    assert looked_up.any()
    assert np.array_equal(looked_up, render_thumbnail(ArrayImage(planes.astype(np.float32))))
