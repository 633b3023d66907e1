"""Who says how large a pixel is."""

import numpy as np
import pytest

from cellscale.errors import RequestError
from cellscale.images.array import ArrayImage
from cellscale.images.info import PixelSize
from cellscale.images.ome.units import pixel_size_of
from cellscale.images.pixel_size import choose_pixel_size


def info_of(size):
    return ArrayImage(np.zeros((1, 2, 2)), pixel_size=size).info


def test_the_user_goes_before_the_file() -> None:
    chosen = choose_pixel_size(info_of(PixelSize(0.3, 0.3)), 0.65)
    assert (chosen.mpp, chosen.source, chosen.warnings) == (0.65, "given", ())


def test_the_file() -> None:
    chosen = choose_pixel_size(info_of(PixelSize(0.377, 0.377)))
    assert (chosen.mpp, chosen.source, chosen.warnings) == (0.377, "file", ())


def test_nothing_known() -> None:
    chosen = choose_pixel_size(info_of(None))
    assert (chosen.mpp, chosen.size) == (0.5, None)
    assert "--image_mpp" in chosen.warnings[0]


def test_pixels_that_are_not_square() -> None:
    nearly = choose_pixel_size(info_of(PixelSize(0.5, 0.504)))
    assert (nearly.mpp, nearly.warnings) == (0.502, ())
    oblong = choose_pixel_size(info_of(PixelSize(0.25, 0.5)))
    assert oblong.mpp == 0.375
    assert oblong.size == PixelSize(0.25, 0.5)
    assert "0.25 x 0.5" in oblong.warnings[0]


@pytest.mark.parametrize(("x", "y"), [(0.4, None), (None, 0.4)])
def test_one_side_alone_is_taken_for_both_and_told(x, y) -> None:
    chosen = choose_pixel_size(info_of(pixel_size_of(x, y)))
    assert (chosen.mpp, chosen.size, chosen.source) == (0.4, PixelSize(0.4, 0.4), "file")
    assert "only one side of a pixel, 0.4 µm" in chosen.warnings[0]
    assert choose_pixel_size(info_of(pixel_size_of(x, y)), 0.4).warnings == ()
    assert choose_pixel_size(info_of(pixel_size_of(0.4, 0.4))).warnings == ()


@pytest.mark.parametrize("given", [0.0, -1.0, float("nan"), float("inf")])
def test_numbers_that_are_no_size(given) -> None:
    with pytest.raises(RequestError, match="--image_mpp"):
        choose_pixel_size(info_of(None), given)
