"""Equalising by region equals scikit-image on the whole channel, bit for bit."""

import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.exposure import equalize_adapthist, rescale_intensity

from cellscale.errors import RequestError
from cellscale.preprocess.equalise import ChannelFacts, equalise, finish, preprocess
from cellscale.preprocess.preprocessing import MESMER, Preprocessing
from cellscale.preprocess.rescale import rescaled_reader, rescaled_shape
from cellscale.regions import Region
from tests.preprocess.channels import GOLDEN, assembled, facts_of, golden, reader


def reference(image: NDArray[Any], preprocessing: Preprocessing = MESMER) -> NDArray[np.float32]:
    """Preprocess a whole channel with numpy and scikit-image."""
    image = image.copy()
    non_zero = image[image != 0]
    if non_zero.size:
        percentile = np.percentile(non_zero.astype(np.float64), preprocessing.percentile)
        image[image > percentile] = np.float64(percentile).astype(image.dtype)
    pixels = image.astype(np.float32)
    if pixels.min() == pixels.max():
        return np.zeros_like(pixels)
    rescaled = rescale_intensity(pixels, out_range=(0.0, 1.0))
    if not preprocessing.clahe:
        return rescaled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return equalize_adapthist(rescaled, kernel_size=preprocessing.clahe_kernel)


def preprocessed(
    image: NDArray[Any], size: tuple[int, int], preprocessing: Preprocessing = MESMER
) -> NDArray[np.float32]:
    """Preprocess a whole channel by regions of ``size``."""
    read = reader(image)
    facts = facts_of(read, image.shape, image.dtype, preprocessing=preprocessing)
    return assembled(lambda region: preprocess(read, region, image.shape, facts, preprocessing), image.shape, size)


def tissue(shape: tuple[int, int], dtype: str, seed: int) -> NDArray[Any]:
    """Return bright spots on a dim, noisy ground that varies."""
    rng = np.random.default_rng(seed)
    ground = np.add.outer(np.sin(np.arange(shape[0]) / 40), np.cos(np.arange(shape[1]) / 60)) + 2
    values = ground * rng.gamma(2, 8, shape) * (1 + 9 * (rng.random(shape) < 0.05))
    return np.minimum(values, 250).astype(dtype)


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1),
        (1, 300),
        (2, 3),
        (3, 4),
        (63, 65),
        (127, 129),
        (128, 128),
        (129, 257),
        (192, 320),
        (300, 513),
        (515, 130),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_whole_channel_equals_scikit_image(shape: tuple[int, int], dtype: str) -> None:
    image = tissue(shape, dtype, seed=shape[1])
    np.testing.assert_array_equal(preprocessed(image, shape), reference(image))


@given(
    shape=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    size=st.tuples(st.integers(30, 400), st.integers(30, 400)),
    seed=st.integers(0, 1000),
    dtype=st.sampled_from(["uint8", "int16", "uint32", "float32", "float64"]),
)
@example(shape=(129, 257), size=(128, 128), seed=0, dtype="uint8")
@settings(max_examples=25)
def test_any_partition_equals_scikit_image(
    shape: tuple[int, int], size: tuple[int, int], seed: int, dtype: str
) -> None:
    image = tissue(shape, dtype, seed)
    np.testing.assert_array_equal(preprocessed(image, size), reference(image))


@given(
    shape=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    size=st.tuples(st.integers(30, 300), st.integers(30, 300)),
    preprocessing=st.builds(
        Preprocessing,
        percentile=st.sampled_from([50.0, 99.0, 99.9, 100.0]),
        clahe=st.sampled_from([True, True, True, False]),
        clahe_kernel=st.sampled_from([8, 9, 30, 64, 77, 100, 256, 301]),
    ),
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
)
@settings(max_examples=40)
def test_any_percentile_and_kernel_equal_scikit_image_in_any_partition(
    shape: tuple[int, int], size: tuple[int, int], preprocessing: Preprocessing, dtype: str
) -> None:
    image = tissue(shape, dtype, seed=shape[0])
    np.testing.assert_array_equal(preprocessed(image, size, preprocessing), reference(image, preprocessing))


@pytest.mark.parametrize("preprocessing", [{"percentile": 0}, {"percentile": 100.5}, {"clahe_kernel": 7}])
def test_values_out_of_range_are_refused(preprocessing: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"is (0|100\.5|7); give"):
        Preprocessing(**preprocessing)


@given(st.integers(0, 10**6), st.integers(1, 6))
@settings(max_examples=25)
def test_extreme_histograms_equal_scikit_image(seed: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 65536, values, dtype=np.uint16)
    image = rng.choice(levels, (150, 140), p=rng.dirichlet(np.full(values, 0.3)))
    np.testing.assert_array_equal(preprocessed(image, (77, 99)), reference(image))


def test_large_unsigned_values_are_clipped_before_they_become_floats() -> None:
    image = (tissue((140, 150), "float64", 3) * 1.6e7).astype(np.uint32)
    np.testing.assert_array_equal(preprocessed(image, (64, 64)), reference(image))


def test_a_hot_pixel_beyond_float32_is_clipped() -> None:
    image = tissue((140, 150), "float64", 3)
    expected = image.copy()
    image[70, 70], expected[70, 70] = 1e300, 250
    np.testing.assert_array_equal(preprocessed(image, (64, 64)), reference(expected))


@pytest.mark.parametrize("value", [0, 1, 200])
def test_constant_channel_becomes_zeros(value: int) -> None:
    image = np.full((70, 90), value, np.uint8)
    assert not preprocessed(image, (40, 40)).any()


def test_constant_channel_is_not_even_read() -> None:
    def read(region: Region) -> NDArray[Any]:
        raise AssertionError(region)

    facts = ChannelFacts(5.0, 5.0, 5.0, 0, 0)
    assert not preprocess(read, Region(0, 0, 4, 6), (10, 10), facts).any()


def test_a_region_reads_only_the_blocks_around_it() -> None:
    image = tissue((2000, 2000), "uint8", 1)
    asked: list[Region] = []

    def read(region: Region) -> NDArray[Any]:
        asked.append(region)
        return image[region.slices]

    facts = ChannelFacts(250.0, 0.0, 250.0, 0, 16383)
    equalise(read, Region(1024, 512, 1280, 768), image.shape, facts)
    assert asked == [Region(896, 384, 1408, 896)]


def test_flat_result_is_left_as_scikit_image_leaves_it() -> None:
    facts = ChannelFacts(9.0, 0.0, 9.0, 5, 5)
    np.testing.assert_array_equal(finish(np.full((2, 2), 5, np.uint16), facts), np.ones((2, 2), np.float32))


@given(
    st.builds(
        ChannelFacts,
        clip=st.floats(allow_nan=False, allow_infinity=False),
        minimum=st.floats(allow_nan=False, allow_infinity=False),
        maximum=st.floats(allow_nan=False, allow_infinity=False),
        equalised_minimum=st.integers(0, 16383),
        equalised_maximum=st.integers(0, 16383),
    )
)
def test_facts_survive_json(facts: ChannelFacts) -> None:
    assert ChannelFacts(**json.loads(json.dumps(asdict(facts)))) == facts


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_images_are_preprocessed_as_deepcell_does(shared: Path, name: str) -> None:
    arrays = golden(shared, name)
    image, factor = arrays["image"], float(arrays["image_mpp"]) / 0.5
    shape = image.shape[:2]
    for index in range(2):
        read = reader(np.ascontiguousarray(image[..., index]))
        if factor != 1:
            read = rescaled_reader(read, shape, factor, (float(image.min()), float(image.max())))
        new_shape = rescaled_shape(shape, factor)
        facts = facts_of(read, new_shape, image.dtype)
        found = preprocess(read, Region(0, 0, *new_shape), new_shape, facts)
        np.testing.assert_allclose(found, arrays["preprocessed"][..., index], rtol=0, atol=1e-6)
