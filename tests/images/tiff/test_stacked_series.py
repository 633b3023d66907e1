"""Channels that were saved as focal planes or time points."""

from contextlib import closing

import numpy as np
import pytest
import tifffile

from cellscale.errors import ImageError
from cellscale.images.open import open_image

PLANES = np.random.default_rng(0).integers(0, 9999, (6, 40, 50), np.uint16)


def written(path, axes, pixels, **metadata):
    settings = {"imagej": True} if metadata.pop("imagej", False) else {"ome": True, "photometric": "minisblack"}
    tifffile.imwrite(path, pixels, metadata={"axes": axes, **metadata}, **settings)
    return path


def read(path, axis):
    with closing(open_image(path, channel_axis=axis)) as image:
        names = [channel.name for channel in image.info.channels]
        return names, image.read(tuple(range(len(names))), image.info.region), image.info


@pytest.mark.parametrize("imagej", [True, False])
@pytest.mark.parametrize("axis", ["Z", "T"])
def test_planes_of_the_axis_are_channels(tmp_path, axis, imagej):
    path = written(tmp_path / "a.tif", f"{axis}YX", PLANES, imagej=imagej)
    names, pixels, info = read(path, axis)
    np.testing.assert_array_equal(pixels, PLANES)
    assert names == [f"Channel {number}" for number in range(1, 7)]
    assert (info.focal_planes, info.time_points) == ((6, 1) if axis == "Z" else (1, 6))
    with pytest.raises(ImageError, match=f"6 .* found, one expected.* give --channel_axis {axis}"):
        open_image(path)


@pytest.mark.parametrize("imagej", [True, False])
def test_cycles_of_channels_are_in_the_order_of_cycles(tmp_path, imagej):
    facts = {"imagej": True, "Labels": ["DAPI", "CD3"]} if imagej else {"Channel": {"Name": ["DAPI", "CD3"]}}
    names, pixels, info = read(written(tmp_path / "a.tif", "TCYX", PLANES.reshape(3, 2, 40, 50), **facts), "T")
    np.testing.assert_array_equal(pixels, PLANES)
    assert names == ["DAPI", "CD3", "DAPI (2)", "CD3 (2)", "DAPI (3)", "CD3 (3)"]
    assert info.time_points == 3


def test_cycles_that_lie_beside_each_other_in_the_file(tmp_path):
    path = written(tmp_path / "a.ome.tif", "CTYX", PLANES.reshape(2, 3, 40, 50), Channel={"Name": ["DAPI", "CD3"]})
    names, pixels, _ = read(path, "T")
    np.testing.assert_array_equal(pixels, PLANES[[0, 3, 1, 4, 2, 5]])
    assert names[:3] == ["DAPI", "CD3", "DAPI (2)"]


def test_labels_of_all_planes(tmp_path):
    labels = [f"marker {number}" for number in range(6)]
    names, _, _ = read(written(tmp_path / "a.tif", "ZYX", PLANES, imagej=True, Labels=labels), "Z")
    assert names == labels


def test_a_pyramid_has_the_same_channels(tmp_path):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(PLANES, subifds=1, metadata={"axes": "ZYX"}, photometric="minisblack")
        tiff.write(PLANES[:, ::2, ::2], subfiletype=1, photometric="minisblack")
    with closing(open_image(path, channel_axis="Z")) as image:
        assert image.info.levels == ((40, 50), (20, 25))
        small = image.read((5, 0), image.info.region.__class__(0, 0, 20, 25), 1)
    np.testing.assert_array_equal(small, PLANES[[5, 0], ::2, ::2])


def test_images_of_channels_are_read_as_ever(tmp_path):
    path = written(tmp_path / "a.ome.tif", "CYX", PLANES)
    for axis in (None, "C", "Z", "T"):
        np.testing.assert_array_equal(read(path, axis)[1], PLANES)


def test_another_axis_is_refused_still(tmp_path):
    path = written(tmp_path / "a.ome.tif", "TZYX", PLANES.reshape(3, 2, 40, 50))
    with pytest.raises(ImageError, match=r"2 focal planes .* --channel_axis Z"):
        open_image(path, channel_axis="T")
