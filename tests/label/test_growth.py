"""How far objects grow is a length in µm or pixels, within bounds."""

import pytest

from cellscale.errors import ImageError, RequestError
from cellscale.label.growth import Growth


def test_micrometres_become_pixels_by_the_size_of_a_pixel():
    assert Growth(length=3, unit="um").pixels(0.5) == 6
    assert Growth(length=3, unit="px").pixels(0.5) == 3


@pytest.mark.parametrize("length", [-1, float("nan"), float("inf"), 101])
def test_lengths_out_of_range_are_refused(length):
    with pytest.raises(RequestError, match="expanded by"):
        Growth(length=length)


def test_more_micrometres_than_labels_can_grow_fail_the_image():
    with pytest.raises(ImageError, match=r"expanded by 60um, which are 120 pixels at 0\.5 µm/px; at most 100"):
        Growth(length=60, unit="um").pixels(0.5)
