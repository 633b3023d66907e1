"""Any image opens the same way."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cellscale.errors import ImageError, RequestError
from cellscale.images.image_names import image_name
from cellscale.images.info import PixelSize
from cellscale.images.masks.mask_reader import open_mask
from cellscale.images.open import open_image
from cellscale.images.zarr.label_zarr import write_label_zarr
from cellscale.regions import Region

PIXELS = np.random.default_rng(0).integers(0, 99, (2, 30, 40), dtype=np.uint16)
REGION = Region(3, 4, 29, 38)


def sources(folder):
    tifffile.imwrite(folder / "a.ome.tiff", PIXELS, ome=True, photometric="minisblack", metadata={"axes": "CYX"})
    np.savez(folder / "a.npz", np.moveaxis(PIXELS, 0, 2))
    group = zarr.open_group(folder / "a.ome.zarr", mode="w")
    group.create_array("0", shape=PIXELS.shape, dtype=PIXELS.dtype)[:] = PIXELS
    axes = [{"name": axis} for axis in "cyx"]
    group.attrs["ome"] = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    return [folder / "a.ome.tiff", str(folder / "a.npz"), folder / "a.ome.zarr", PIXELS]


def test_every_kind(tmp_path: Path) -> None:
    for source in sources(tmp_path):
        image = open_image(source)
        assert image.info.name == ("array" if source is PIXELS else "a")
        np.testing.assert_array_equal(image.read((1, 0), REGION), PIXELS[(slice(None, None, -1), *REGION.slices)])
        image.close()


def test_other_names_and_sizes_than_the_files(tmp_path: Path) -> None:
    for source in sources(tmp_path):
        image = open_image(source, channel_names=["x", "y"], pixel_size=PixelSize(0.1, 0.2))
        assert [one.name for one in image.info.channels] == ["x", "y"]
        assert image.info.pixel_size == PixelSize(0.1, 0.2)
        np.testing.assert_array_equal(image.read((1,), REGION)[0], PIXELS[1][REGION.slices])
        image.close()
        with pytest.raises(ImageError, match="3 channel names given for 2 channels"):
            open_image(source, channel_names=["x", "y", "z"])


def test_names_with_anything_in_them(tmp_path: Path) -> None:
    for name in (
        "a b.ome.tif",
        "..a..tiff",
        "#1 100%.tif",
        "Größe 中.TIFF",
        "x.ome.tif.tif",
        "x.ome.btf",
        "y.qptiff",
        "z.zarr.tf8",
    ):
        tifffile.imwrite(tmp_path / name, PIXELS[0])
        image = open_image(tmp_path / name)
        assert image.info.shape == (30, 40)
        image.close()
    assert [image_name(name) for name in ("a b.ome.tif", "..a..tiff", "x.OME.TIFF", "gs://b/x y.zarr/", ".tif")] == [
        "a b", "..a.", "x", "x y", ".tif",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["slide.zarr.ome.tif", "slide.zarr_Mask.tiff", "p.zarr_export/a", "p.zarr/a.TIF"])
def test_zarr_in_a_name_makes_no_zarr_of_a_tiff(tmp_path: Path, name) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    tifffile.imwrite(path, PIXELS[0])
    for opened in (open_image(path), open_mask(path), open_mask(str(path))):
        assert opened.info.shape == (30, 40)
        opened.close()


@pytest.mark.parametrize("path", ["a.ome.zarr", "a.ome.zarr/", "a.OME.ZARR/labels/cells"])
def test_a_folder_inside_a_zarr_is_one(tmp_path: Path, path) -> None:
    sources(tmp_path)
    if "labels" in path:
        (tmp_path / "a.ome.zarr").rename(tmp_path / "a.OME.ZARR")
        (tmp_path / path).parent.mkdir()
        write_label_zarr(tmp_path / path, lambda region: PIXELS[0][region.slices].astype(np.int32), (30, 40))
        assert open_mask(tmp_path / path).shape == (30, 40)
    image = open_image(f"{tmp_path}/{path}")
    assert image.info.shape == (30, 40)


def test_arrays_of_one_channel_and_of_none() -> None:
    assert open_image(PIXELS[0]).read((0,), REGION).shape == (1, 26, 34)
    for wrong in (
        np.zeros(3),
        np.zeros((1, 1, 2, 2)),
        np.zeros((0, 4)),
        np.zeros((2, 2), complex),
        np.zeros((2, 2), bool),
    ):
        with pytest.raises(ImageError):
            open_image(wrong)


def test_what_was_read_is_the_callers() -> None:
    pixels = np.zeros((1, 4, 4), ">u2")
    found = open_image(pixels).read((0,), Region(0, 0, 4, 4))
    found[:] = 7
    assert found.dtype.isnative
    assert not pixels.any()


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    opened = [open_image(source) for source in sources(tmp_path_factory.mktemp("images"))]
    yield opened
    for image in opened:
        image.close()


@pytest.mark.parametrize(
    ("channels", "region", "level", "words"),
    [
        ((0,), Region(0, 0, 31, 40), 0, "rows 0 to 31 and columns 0 to 40 asked for; 30 rows and 40 columns found"),
        ((0,), Region(-1, 0, 30, 40), 0, "rows -1 to 30"),
        ((0,), Region(20, 0, 10, 40), 0, "rows 20 to 10"),
        ((0, 2), Region(0, 0, 3, 4), 0, r"channels \(0, 2\) asked for; an image of 2, counted from 0, found"),
        ((-1,), Region(0, 0, 3, 4), 0, r"channels \(-1,\) asked for"),
        ((0,), Region(0, 0, 3, 4), 1, "level 1 asked for; an image of 1, counted from 0, found"),
        ((0,), Region(0, 0, 3, 4), -1, "level -1 asked for"),
    ],
)
def test_pixels_that_an_image_does_not_have_are_no_damage(images, channels, region, level, words) -> None:
    for image in images:
        with pytest.raises(RequestError, match=words):
            image.read(channels, region, level)


@pytest.mark.parametrize("argument", [{"channel_axis": "Q"}, {"channel_axis": []}, {"pixel_size": 0.5}])
def test_arguments_of_another_kind_are_refused(argument) -> None:
    with pytest.raises(RequestError, match=f"{next(iter(argument))}: .* found; .* expected"):
        open_image(PIXELS, **argument)
