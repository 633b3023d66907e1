"""An overview is the image seen from afar, whichever level of the pyramid it is read from."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.images.array import ArrayImage
from cellscale.images.info import ImageInfo
from cellscale.report.pictures import overview
from cellscale.report.pictures.overview import block_means, cell_size, fitted, overview_level


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(2) as threads:
        yield threads


@given(rows=st.integers(1, 40), columns=st.integers(1, 40), cell=st.sampled_from([1, 2, 4, 8]), strips=st.booleans())
def test_block_means_are_those_of_the_whole_image(pool, rows, columns, cell, strips):
    pixels = np.random.default_rng(rows * 41 + columns).integers(0, 1000, (rows, columns)).astype(np.uint16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overview, "STEP", 8)
        found = block_means(lambda region: pixels[region.slices], pixels.shape, cell, pool, strips=strips)
    expected = [
        [pixels[top : top + cell, left : left + cell].mean() for left in range(0, columns, cell)]
        for top in range(0, rows, cell)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_pixels_that_are_not_finite_count_as_zero(pool):
    pixels = np.array([[np.nan, 4], [np.inf, 4]])
    assert block_means(lambda region: pixels[region.slices], (2, 2), 2, pool).tolist() == [[2]]


@pytest.mark.parametrize(("side", "cell"), [(1, 1), (2048, 1), (2049, 2), (16384, 8), (100_000, 64)])
def test_an_overview_is_never_larger_than_a_screen(side, cell):
    assert cell_size((side, 10)) == cell
    assert -(-side // cell) <= overview.SIDE


class Pyramid(ArrayImage):
    """An image that says it has these levels."""

    def __init__(self, *levels):
        super().__init__(np.zeros((1, *levels[0]), np.uint8))
        self._levels = levels

    @property
    def info(self) -> ImageInfo:
        facts = super().info
        return ImageInfo(
            name="", uri=None, height=facts.height, width=facts.width, dtype=facts.dtype, channels=facts.channels,
            levels=self._levels,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("levels", "cell", "chosen"),
    [
        ([(100, 80)], 4, 0),
        ([(100, 80), (50, 40), (25, 20), (12, 10)], 4, 2),
        ([(101, 83), (50, 41), (25, 20)], 4, 2),
        ([(101, 83), (51, 42), (26, 21)], 4, 2),
        ([(100, 80), (33, 27)], 4, 0),
        ([(100, 80), (25, 20)], 8, 1),
        ([(100, 80), (50, 10)], 4, 0),
    ],
)
def test_the_smallest_level_that_fits_is_read(levels, cell, chosen):
    level = overview_level(Pyramid(*levels), cell)
    assert level.number == chosen
    assert level.info.shape == levels[chosen]


def test_planes_are_cut_or_continued_to_the_size_of_the_overview():
    plane = np.float32([[1, 2], [3, 4]])
    assert fitted(plane, (1, 3)).tolist() == [[1, 2, 2]]
    assert fitted(plane, (2, 2)).tolist() == plane.tolist()
