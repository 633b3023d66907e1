"""Rescaling by region equals scikit-image on the whole image, bit for bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.transform import resize

from cellscale.preprocess.rescale import may_be_rescaled, rescaled_reader, rescaled_shape
from cellscale.regions import Region
from tests.preprocess.channels import assembled, reader


def reference(image: NDArray[Any], factor: float) -> NDArray[Any]:
    """Rescale channels with scikit-image, as DeepCell does: both at once, channels last."""
    shape = (*rescaled_shape(image.shape[1:], factor), image.shape[0])
    found = resize(
        np.moveaxis(image, 0, -1), shape, order=1, mode="constant", preserve_range=True, anti_aliasing=True
    )
    return np.moveaxis(found.astype(image.dtype), -1, 0)


def rescaled(image: NDArray[Any], factor: float, size: tuple[int, int]) -> NDArray[Any]:
    """Rescale channels by regions of ``size``."""
    shape = image.shape[1:]
    limits = (float(image.min()), float(image.max()))
    readers = [rescaled_reader(reader(channel), shape, factor, limits) for channel in image]
    return np.stack([assembled(read, rescaled_shape(shape, factor), size) for read in readers])


def pixels(dtype: str, shape: tuple[int, int], seed: int) -> NDArray[Any]:
    """Return two channels: noise over plateaus, above zero."""
    rng = np.random.default_rng(seed)
    plateaus = np.kron(rng.integers(20, 200, (2, shape[0] // 8 + 1, shape[1] // 8 + 1)), np.ones((8, 8), int))
    noise = rng.integers(0, 50, (2, *shape)) * (rng.random((2, *shape)) < 0.5)
    return (plateaus[:, : shape[0], : shape[1]] + noise).astype(dtype)


@given(
    shape=st.tuples(st.integers(1, 120), st.integers(1, 120)),
    factor=st.floats(0.3, 3),
    size=st.tuples(st.integers(20, 200), st.integers(20, 200)),
    seed=st.integers(0, 1000),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "uint32", "float32", "float64"]),
)
@settings(max_examples=120)
def test_any_partition_equals_scikit_image(
    shape: tuple[int, int], factor: float, size: tuple[int, int], seed: int, dtype: str
) -> None:
    image = pixels(dtype, shape, seed)
    np.testing.assert_array_equal(rescaled(image, factor, size), reference(image, factor))


@pytest.mark.parametrize("mpp", [0.1625, 0.25, 0.325, 0.377442, 0.65, 1.0])
def test_usual_pixel_sizes_equal_scikit_image(mpp: float) -> None:
    image = pixels("uint16", (400, 333), 1) * np.uint16(150)
    np.testing.assert_array_equal(rescaled(image, mpp / 0.5, (250, 190)), reference(image, mpp / 0.5))


def test_signed_values_below_zero_equal_scikit_image() -> None:
    image = pixels("int16", (60, 70), 2) - np.int16(100)
    np.testing.assert_array_equal(rescaled(image, 1.3, (33, 21)), reference(image, 1.3))
    np.testing.assert_array_equal(rescaled(image, 0.6, (33, 21)), reference(image, 0.6))


def test_a_region_reads_little_more_than_its_source() -> None:
    image = np.zeros((1000, 1000), np.uint8)
    asked: list[Region] = []

    def read(region: Region) -> NDArray[Any]:
        asked.append(region)
        return image[region.slices]

    rescaled_reader(read, image.shape, 0.5, (0.0, 0.0))(Region(100, 200, 200, 250))
    (region,) = asked
    assert region.top >= 190
    assert region.bottom <= 410
    assert region.left >= 390
    assert region.right <= 510


def test_nothing_vanishes() -> None:
    assert rescaled_shape((1, 3), 0.3) == (1, 1)
    assert rescaled_shape((1000, 999), 1.3) == (1300, 1298)


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.02, 40))
def test_a_rescaled_image_may_be_of_the_image(rows, columns, factor):
    assert may_be_rescaled((rows, columns), rescaled_shape((rows, columns), factor))


@pytest.mark.parametrize(
    ("shape", "rescaled"), [((300, 200), (200, 300)), ((300, 200), (150, 102)), ((1000, 1000), (1, 10))]
)
def test_other_proportions_are_of_another_image(shape, rescaled):
    assert not may_be_rescaled(shape, rescaled)
