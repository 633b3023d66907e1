"""Several channels are read as one, without overflow, and as numpy combines them."""

import numpy as np
import pytest

from cellscale.images.array import ArrayImage
from cellscale.images.channels.combining import Scaling, combined_dtype, combined_reader, scaled_reader
from cellscale.regions import Region


@pytest.mark.parametrize(
    ("dtype", "summed"),
    [("uint8", "uint32"), ("uint16", "uint32"), ("int16", "int32"), ("int32", "int64"), ("uint32", "int64"),
     ("float32", "float32"), ("float64", "float64")],
)  # fmt: skip
def test_combinations_do_not_overflow(dtype, summed) -> None:
    top = 1000.5 if dtype[0] == "f" else np.iinfo(dtype).max
    pixels = np.full((3, 4, 5), top, dtype)
    pixels[1, 0, 0] = 0
    image = ArrayImage(pixels)
    region = Region(0, 0, 3, 4)
    total = combined_reader(image, (0, 1), "sum")(region)
    assert total.dtype == summed
    assert total.shape == (3, 4)
    assert (total[0, 0], total[1, 1]) == (top, 2 * top)
    largest = combined_reader(image, (0, 1), "max")(region)
    assert (largest.dtype, largest[0, 0]) == (dtype, top)
    mean = combined_reader(image, (0, 1), "mean")(region)
    assert (mean.dtype, mean[1, 1]) == (summed if dtype == "float64" else "float32", np.float32(top))
    one = combined_reader(image, (1,))(region)
    assert (one.dtype, one.shape, one[0, 0]) == (dtype, (3, 4), 0)


@pytest.mark.parametrize("combine", ["sum", "max", "mean"])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint8", "int16", "uint16", ">u2", "int32", "uint32", "int64", "uint64", "float16", "float32",
     "float64", ">f4"],
)  # fmt: skip
def test_the_dtype_is_known_without_reading(dtype, count, combine) -> None:
    image = ArrayImage(np.ones((3, 4, 5), dtype))
    known = combined_dtype(image.info.dtype, count, combine)
    assert combined_reader(image, range(count), combine)(Region(0, 0, 2, 2)).dtype == known
    assert known.isnative


def test_a_blank_channel() -> None:
    blank = combined_reader(ArrayImage(np.ones((1, 4, 5))), ())(Region(1, 1, 3, 4))
    assert blank.shape == (2, 3)
    assert not blank.any()


@pytest.mark.parametrize(("combine", "by_numpy"), [("sum", np.sum), ("max", np.max), ("mean", np.mean)])
def test_channels_are_clipped_moved_and_divided_before_they_are_combined(combine, by_numpy) -> None:
    planes = np.random.default_rng(1).integers(0, 1000, (3, 5, 6))
    scalings = [Scaling(900.0, 10.0, 890.0), Scaling(1e9, 500.0, 200.0), Scaling(7.0, 7.0, 0.0)]
    readers = [lambda region, plane=plane: plane[region.slices] for plane in planes]
    expected = by_numpy(
        [(np.minimum(planes[0], 900) - 10) / 890, (planes[1] - 500) / 200, np.zeros((5, 6))], axis=0
    ).astype(np.float32)
    found = scaled_reader(readers, scalings, combine)(Region(1, 2, 4, 6))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected[1:4, 2:6])
