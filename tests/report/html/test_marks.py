"""Scale bars have round lengths."""

import pytest

from cellscale.report.html.place_marks import scale_bar
from tests.report.looks import look


@pytest.mark.parametrize(
    ("mpp", "pixels", "text", "share"),
    [(0.5, 512, "50 µm", 19.53), (0.5, 3000, "200 µm", 13.33), (0.25, 100_000, "5 mm", 20), (0.1, 20, "0.5 µm", 25)],
)
def test_a_bar_is_a_round_length_within_a_quarter_of_the_picture(mpp, pixels, text, share):
    bar = scale_bar(look(pixel_size=(mpp, mpp)), pixels)
    assert bar.text == text
    assert bar.share == pytest.approx(share, abs=0.01)


def test_without_a_pixel_size_a_bar_is_in_pixels():
    assert scale_bar(look(pixel_size=None), 512).text == "100 pixels"
