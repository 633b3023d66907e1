"""Facts by which channels are rescaled are those of the whole channel, whatever its blocks."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellscale.errors import ImageError
from cellscale.preprocess.channel_scaling import mean_and_deviation, scaling_facts
from tests.preprocess.channels import mapper, reader

INTEGERS = ["uint8", "int16", "uint16", "int32", "uint32"]
SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20))


def blocks_of(image, size=(3, 7)):
    return mapper(reader(image), image.shape, size)


@settings(max_examples=60)
@given(image=st.sampled_from(INTEGERS).flatmap(lambda dtype: arrays.arrays(dtype, SHAPES)))
def test_mean_and_deviation_of_integers_are_exact(image):
    mean, deviation = mean_and_deviation(blocks_of(image), image.dtype)
    assert mean == sum(map(int, image.ravel())) / image.size
    assert deviation == pytest.approx(float(np.std(image.astype(np.longdouble))), rel=1e-12, abs=1e-12)
    assert mean_and_deviation(blocks_of(image, (20, 20)), image.dtype) == (mean, deviation)


def test_mean_and_deviation_of_floats_are_numpys():
    image = np.random.default_rng(3).normal(100, 3, (50, 70)).astype(np.float32)
    found = mean_and_deviation(blocks_of(image), image.dtype)
    assert found == pytest.approx((image.mean(dtype=np.float64), image.std(dtype=np.float64)), rel=1e-12)


def test_each_way_has_its_facts():
    image = np.arange(2000, dtype=np.uint16).reshape(40, 50)
    expected = np.percentile(image[image > 0], 99.0).astype(np.uint16)
    assert scaling_facts(blocks_of(image), image.dtype, "percentile", 99.0) == {
        "clip": expected, "offset": 0, "span": expected,
    }  # fmt: skip
    assert scaling_facts(blocks_of(image), image.dtype, "minmax", 99.0) == {"clip": 1999, "offset": 0, "span": 1999}
    zscore = scaling_facts(blocks_of(image), image.dtype, "zscore", 99.0)
    assert (zscore["offset"], zscore["span"]) == (image.mean(), pytest.approx(image.std()))


@pytest.mark.parametrize("rescale", ["percentile", "minmax", "zscore"])
def test_a_channel_of_one_value_has_no_span(rescale):
    image = np.full((9, 9), 7, np.int16)
    assert scaling_facts(blocks_of(image), image.dtype, rescale, 99.9)["span"] == 0


@pytest.mark.parametrize("rescale", ["percentile", "minmax", "zscore"])
def test_pixels_that_are_not_finite_are_refused(rescale):
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = np.nan
    with pytest.raises(ImageError, match="not a number"):
        scaling_facts(blocks_of(image), image.dtype, rescale, 99.9)
