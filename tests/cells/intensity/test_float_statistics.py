"""Statistics in compartments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cellscale.cells.intensity.compartments import Pixels, cell_pixels
from cellscale.cells.intensity.float_statistics import intensities
from cellscale.regions import Region

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False, max_value=2.0**60, min_value=-(2.0**60))


def statistics(values):
    values = np.asarray(values, dtype=np.float32)
    pixels = Pixels(np.array([[0, len(values)]]), np.arange(len(values), dtype=np.int32))
    return intensities(values[None], pixels)[0, 0]


@given(npst.arrays(np.float32, st.integers(1, 400), elements=FINITE))
def test_minimum_maximum_and_median_are_exact(values):
    found = statistics(values)
    ordered = np.sort(values).astype(np.float64)
    middle = ordered[(len(values) - 1) // 2], ordered[len(values) // 2]
    median = np.float32(middle[0] + (middle[1] - middle[0]) / 2)
    assert found[1:4].tolist() == [median, ordered[0], ordered[-1]]


@given(npst.arrays(np.uint16, st.integers(2, 300)))
def test_moments_of_integers_are_exact(values):
    found = statistics(values)
    mean = int(values.astype(object).sum()) / len(values)
    total, squares = int(values.astype(object).sum()), int((values.astype(object) ** 2).sum())
    variance = (squares * len(values) - total**2) / (len(values) * (len(values) - 1))
    np.testing.assert_allclose(found[[0, 5, 4]], [mean, variance, np.sqrt(variance)], rtol=1e-7)


def both_ways(values, offsets, places):
    """Return the statistics of whole numbers taken as such, and as floating point."""
    pixels = Pixels(np.array(offsets), np.array(places, dtype=np.int32))
    return intensities(values[None], pixels), intensities(values[None].astype(np.float32), pixels)


@given(
    npst.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.integers(1, 300),
        elements=st.one_of(st.integers(0, 255), st.integers(200, 203)),
    ),
    st.integers(0, 2**32 - 1),
)
def test_whole_numbers_have_the_statistics_of_the_same_floating_point_numbers_bit_for_bit(values, seed):
    random = np.random.default_rng(seed)
    values *= random.integers(1, 257 if values.dtype == np.uint16 else 2, dtype=values.dtype)
    inside = random.permutation(len(values))
    split, membrane = random.integers(0, len(inside) + 1, 2)
    for elsewhere in (0, min(1, split)):  # a nucleus within its cell, and one of which a pixel is outside
        parts = [
            np.sort(inside[:split]),
            np.sort(inside[split:]),
            np.sort(inside[:membrane]),
            np.sort(inside[elsewhere:]),
        ]
        whole, floating = both_ways(values, [np.cumsum([0, *map(len, parts)])], np.concatenate(parts))
        assert whole.tobytes() == floating.tobytes()


def test_whole_numbers_whose_mean_lies_between_two_float32_are_measured_like_floating_point():
    """The mean of 512 numbers needs 25 bits where their sum is odd and above 2^24."""
    values = np.full(512, 40_000, dtype=np.uint16)
    for one in range(100):
        values[one] += 1
        whole, floating = both_ways(values, [[0, 512]], np.arange(512))
        assert whole.tobytes() == floating.tobytes()


def test_objects_of_very_many_pixels_are_measured_like_floating_point():
    values = np.random.default_rng(0).integers(0, 65536, 100_000, dtype=np.uint16)
    for count in (2**15, 2**15 + 1, 100_000):
        whole, floating = both_ways(values, [[0, count]], np.arange(count))
        assert whole.tobytes() == floating.tobytes()


@pytest.mark.parametrize("count", [2, 15, 16, 17, 64, 65, 300, 301])
@pytest.mark.parametrize("shape", ["one hot pixel", "all equal", "two values", "steps"])
def test_medians_of_lopsided_values(count, shape):
    random = np.random.default_rng(count)
    values = {
        "one hot pixel": np.concatenate([random.integers(0, 50, count - 1), [65535]]),
        "all equal": np.full(count, 7),
        "two values": np.arange(count) % 2 * 1000,
        "steps": np.repeat(np.arange(count), 2)[:count] ** 3,
    }[shape]
    assert statistics(random.permutation(values))[1] == np.float32(np.median(values))


def test_one_pixel_has_no_variance():
    assert statistics([4.5]).tolist() == [4.5, 4.5, 4.5, 4.5, 0, 0]


def test_no_pixels_have_no_statistics():
    assert np.isnan(statistics([])).all()


def test_nan_pixels_are_passed_over_by_order_statistics():
    found = statistics([np.nan, 3, 1, np.nan, 2, 10])
    assert found[1:4].tolist() == [2.5, 1, 10]
    assert np.isnan(found[[0, 4, 5]]).all()
    assert np.isnan(statistics([np.nan, np.nan])).all()


def test_infinite_pixels_are_values():
    assert statistics([np.inf] * 20 + [1.0] * 30)[1:4].tolist() == [1, 1, np.inf]
    assert statistics([np.inf] * 30 + [-np.inf] * 20)[1:4].tolist() == [np.inf, -np.inf, np.inf]


def test_the_mean_of_large_values_does_not_drift():
    values = np.full(1000, 16_777_216, dtype=np.float32)
    values[::2] += 2
    assert statistics(values)[[0, 5]].tolist() == pytest.approx([16_777_217, 1000 / 999])


CELL = ["......", ".####.", ".#.##.", ".####.", "......"]
NUCLEUS = ["......", "...##.", "...##.", "......", ".....#"]


def compartments(cell, nucleus, region=None):
    cells = np.array([[pixel == "#" for pixel in row] for row in cell], dtype=np.uint32) * 3
    nuclei = np.array([[pixel == "#" for pixel in row] for row in nucleus], dtype=np.uint32) * 8
    window = Region(0, 0, *cells.shape)
    regions = np.array([region or (0, 0, *cells.shape)])
    found = cell_pixels(cells, nuclei, window, np.array([[3, 8]], dtype=np.uint32), regions)
    return (
        [
            {tuple(np.divmod(place, cells.shape[1])) for place in found.places[start:stop]}
            for start, stop in zip(found.offsets[0, :-1], found.offsets[0, 1:], strict=True)
        ],
        cells == 3,
        nuclei == 8,
    )


def test_compartments_are_those_of_the_definition():
    (nucleus, cytoplasm, membrane, cell), is_cell, is_nucleus = compartments(CELL, NUCLEUS)
    assert cell == set(zip(*np.nonzero(is_cell), strict=True))
    assert nucleus == set(zip(*np.nonzero(is_nucleus), strict=True))
    assert cytoplasm == cell - nucleus
    assert membrane == cell, "all touch the outside or the hole"


def test_the_membrane_is_one_pixel_wide():
    solid = ["......", ".####.", ".####.", ".####.", ".####."]
    (_, _, membrane, cell), _, _ = compartments(solid, NUCLEUS)
    assert cell - membrane == {(2, 2), (2, 3), (3, 2), (3, 3), (4, 2), (4, 3)}, "the image's border makes no membrane"


def test_the_nucleus_ends_where_the_region_ends():
    (nucleus, *_), _, _ = compartments(CELL, NUCLEUS, (1, 1, 4, 5))
    assert nucleus == {(1, 3), (1, 4), (2, 3), (2, 4)}
