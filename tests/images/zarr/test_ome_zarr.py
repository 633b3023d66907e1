"""OME-Zarr 0.4 and 0.5 images."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from cellscale.errors import ImageError, StorageError
from cellscale.images.info import PixelSize
from cellscale.images.zarr.ome_zarr import OmeZarrImage
from cellscale.regions import Region

SPACE = {"type": "space", "unit": "nanometer"}


def datasets(axes, scale, levels):
    for level in range(levels):
        sides = [side * (2**level if axis in "yx" else 1) for axis, side in zip(axes, scale, strict=True)]
        yield {"path": f"s{level}", "coordinateTransformations": [{"type": "scale", "scale": sides}]}


def metadata(axes, scale, levels=1, version="0.5"):
    kinds = {"t": {"type": "time"}, "c": {"type": "channel"}}
    named = [{"name": axis, **kinds.get(axis, SPACE)} for axis in axes]
    return {
        "version": version,
        "multiscales": [{"axes": named, "datasets": list(datasets(axes, scale, levels))}],
        "omero": {"channels": [{"label": " DAPI ", "color": "FF0000"}, {"label": "µ", "color": "0000FF"}]},
    }


def written(path, pixels, axes, *, version="0.5", scale=None, levels=1, dtype=None):
    group = zarr.open_group(path, mode="w", zarr_format=3 if version == "0.5" else 2)
    for level in range(levels):
        content = pixels[..., :: 2**level, :: 2**level]
        chunks = (1,) * (pixels.ndim - 2) + (32, 16)
        array = group.create_array(f"s{level}", shape=content.shape, chunks=chunks, dtype=dtype or pixels.dtype)
        array[...] = content
    facts = metadata(axes, scale or [1] * len(axes), levels, version)
    group.attrs.update({"ome": facts} if version == "0.5" else facts)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["tczyx", "czyx", "cyx", "tcyx"])
def test_regions_of_every_level(tmp_path: Path, version, axes) -> None:
    pixels = np.random.default_rng(0).integers(0, 9999, (2, 90, 70)).astype("uint16")
    stored = pixels.reshape([{"c": 2, "y": 90, "x": 70}.get(axis, 1) for axis in axes])
    scale = [{"y": 500, "x": 250}.get(axis, 1) for axis in axes]
    order = ">u2" if version == "0.4" else None
    written(tmp_path / "a.ome.zarr", stored, axes, version=version, scale=scale, levels=2, dtype=order)
    image = OmeZarrImage(tmp_path / "a.ome.zarr")
    info = image.info
    assert (info.name, info.shape, info.dtype, info.chunk) == ("a", (90, 70), np.dtype("uint16"), (32, 16))
    assert info.pixel_size == PixelSize(0.25, 0.5)
    assert [one.name for one in info.channels] == [" DAPI ", "µ"]
    assert [one.color for one in info.channels] == [-16776961, 65535]
    assert info.levels == ((90, 70), (45, 35))
    for channels in ((0,), (1, 0)):
        region = Region(3, 5, 80, 69)
        np.testing.assert_array_equal(image.read(channels, region), pixels[(list(channels), *region.slices)])
        np.testing.assert_array_equal(
            image.read(channels, Region(1, 2, 40, 33), 1), pixels[list(channels), ::2, ::2][:, 1:40, 2:33]
        )


def test_one_channel_without_an_axis_of_its_own(tmp_path: Path) -> None:
    pixels = np.arange(600, dtype="float32").reshape(20, 30)
    written(tmp_path / "a.zarr", pixels, "yx")
    image = OmeZarrImage(tmp_path / "a.zarr")
    np.testing.assert_array_equal(image.read((0,), image.info.region)[0], pixels)


@pytest.mark.parametrize(
    "omero", [{"channels": None}, {"channels": {}}, {}, None, {"channels": [None, {"label": None}]}]
)
def test_channels_that_are_not_named_are_numbered(tmp_path: Path, omero) -> None:
    written(tmp_path / "a.zarr", np.ones((2, 20, 30), np.uint8), "cyx")
    group = zarr.open_group(tmp_path / "a.zarr", mode="r+")
    group.attrs["ome"] = {**group.attrs["ome"], "omero": omero}
    assert [one.name for one in OmeZarrImage(tmp_path / "a.zarr").info.channels] == ["Channel 1", "Channel 2"]


def test_numbers_as_names_of_channels_are_read_as_text(tmp_path: Path) -> None:
    written(tmp_path / "a.zarr", np.ones((4, 20, 30), np.uint8), "cyx")
    group = zarr.open_group(tmp_path / "a.zarr", mode="r+")
    labels = [0, 1, ["DAPI"], True]
    group.attrs["ome"] = {**group.attrs["ome"], "omero": {"channels": [{"label": one} for one in labels]}}
    found = [one.name for one in OmeZarrImage(tmp_path / "a.zarr").info.channels]
    assert found == ["0", "1", "Channel 3", "Channel 4"]


@pytest.mark.parametrize("place", ["inside", "top", "spatialdata"])
def test_names_of_channels_are_found_where_writers_leave_them(tmp_path: Path, place) -> None:
    written(tmp_path / "a.zarr", np.ones((2, 20, 30), np.uint8), "cyx")
    group = zarr.open_group(tmp_path / "a.zarr", mode="r+")
    facts = dict(group.attrs["ome"])
    facts.pop("omero")
    names = {"channels": [{"label": "CD3"}, {"name": "CD8"}]}
    if place == "inside":
        group.attrs["ome"] = {**facts, "omero": names}
    else:
        group.attrs["ome"] = facts
        group.attrs["omero" if place == "top" else "channels_metadata"] = names
    assert [one.name for one in OmeZarrImage(tmp_path / "a.zarr").info.channels] == ["CD3", "CD8"]


@pytest.mark.parametrize(("axes", "axis"), [("tcyx", "T"), ("czyx", "Z"), ("tczyx", "T")])
def test_time_points_or_focal_planes_as_channels(tmp_path: Path, axes, axis) -> None:
    sizes = {"t": 3, "z": 3, "c": 2, "y": 20, "x": 30} | ({"z": 1} if "t" in axes else {})
    pixels = np.random.default_rng(0).integers(0, 99, [sizes[one] for one in axes], np.uint8)
    written(tmp_path / "a.zarr", pixels, axes)
    image = OmeZarrImage(tmp_path / "a.zarr", channel_axis=axis)
    steps_first = np.moveaxis(pixels, axes.index(axis.lower()), 0)
    np.testing.assert_array_equal(image.read(tuple(range(6)), image.info.region), steps_first.reshape(6, 20, 30))
    assert [one.name for one in image.info.channels] == [" DAPI ", "µ"] * 3
    assert (image.info.time_points, image.info.focal_planes) == ((3, 1) if axis == "T" else (1, 3))
    with pytest.raises(ImageError, match=f"give --channel_axis {axis}"):
        OmeZarrImage(tmp_path / "a.zarr")


def test_axes_may_have_capital_names(tmp_path: Path) -> None:
    written(tmp_path / "a.zarr", np.ones((2, 20, 30), np.uint8), "cyx", scale=[1, 500, 250])
    group = zarr.open_group(tmp_path / "a.zarr", mode="r+")
    facts = group.attrs["ome"]
    for axis in facts["multiscales"][0]["axes"]:
        axis["name"] = axis["name"].upper()
    group.attrs["ome"] = facts
    assert OmeZarrImage(tmp_path / "a.zarr").info.pixel_size == PixelSize(0.25, 0.5)


def test_scale_without_a_unit_is_no_size(tmp_path: Path) -> None:
    written(tmp_path / "a.zarr", np.zeros((20, 30), np.uint8), "yx")
    group = zarr.open_group(tmp_path / "a.zarr")
    facts = dict(group.attrs["ome"])
    for axis in facts["multiscales"][0]["axes"]:
        axis.pop("unit")
    group.attrs["ome"] = facts
    assert OmeZarrImage(tmp_path / "a.zarr").info.pixel_size is None


def test_scales_of_level_and_image_multiply(tmp_path: Path) -> None:
    written(tmp_path / "a.zarr", np.zeros((20, 30), np.uint8), "yx", scale=[2, 4])
    group = zarr.open_group(tmp_path / "a.zarr")
    facts = dict(group.attrs["ome"])
    facts["multiscales"][0]["coordinateTransformations"] = [{"type": "scale", "scale": [100, 200]}]
    group.attrs["ome"] = facts
    assert OmeZarrImage(tmp_path / "a.zarr").info.pixel_size == PixelSize(0.8, 0.2)


def test_the_first_image_of_bioformats2raw(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "a.zarr", mode="w").attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
    written(tmp_path / "a.zarr" / "0", np.ones((2, 20, 30), np.uint8), "cyx")
    assert OmeZarrImage(tmp_path / "a.zarr").info.shape == (20, 30)
    assert OmeZarrImage(tmp_path / "a.zarr").info.warnings == ()
    for number in (1, 2):
        written(tmp_path / "a.zarr" / str(number), np.ones((2, 20, 30), np.uint8), "cyx")
    (warning,) = OmeZarrImage(tmp_path / "a.zarr").info.warnings
    assert "holds 3 images; only image 1 (in a.zarr/0) is worked on" in warning


@pytest.mark.parametrize("axes", ["tczyx", "zyx", "tyx"])
def test_stacks_and_time_series(tmp_path: Path, axes) -> None:
    for axis in set(axes) & set("tz"):
        shape = [{axis: 3, "y": 8, "x": 8}.get(one, 1) for one in axes]
        written(tmp_path / "a.zarr", np.zeros(shape, np.uint8), axes)
        with pytest.raises(ImageError, match=rf"3 .*\({axis.upper()}\)"):
            OmeZarrImage(tmp_path / "a.zarr")


def test_other_folders(tmp_path: Path) -> None:
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(ImageError, match=r"empty\.zarr.*Zarr group"):
        OmeZarrImage(tmp_path / "empty.zarr")
    zarr.open_group(tmp_path / "plain.zarr", mode="w")
    with pytest.raises(ImageError, match="multiscales"):
        OmeZarrImage(tmp_path / "plain.zarr")
    zarr.open_group(tmp_path / "plate.zarr", mode="w").attrs["ome"] = {"plate": {}}
    with pytest.raises(ImageError, match="plate"):
        OmeZarrImage(tmp_path / "plate.zarr")
    with pytest.raises(StorageError, match="does not exist"):
        OmeZarrImage(tmp_path / "gone.zarr")


def test_a_damaged_chunk(tmp_path: Path) -> None:
    written(tmp_path / "a.zarr", np.arange(600, dtype="uint16").reshape(20, 30), "yx")
    chunk = next((tmp_path / "a.zarr" / "s0" / "c").rglob("0"))
    chunk = chunk if chunk.is_file() else next(path for path in chunk.rglob("*") if path.is_file())
    chunk.write_bytes(b"damage" * 3)
    image = OmeZarrImage(tmp_path / "a.zarr")
    with pytest.raises(ImageError, match="damaged"):
        image.read((0,), image.info.region)


def test_a_missing_level(tmp_path: Path) -> None:
    written(tmp_path / "a.zarr", np.zeros((20, 30), np.uint8), "yx")
    group = zarr.open_group(tmp_path / "a.zarr")
    facts = dict(group.attrs["ome"])
    facts["multiscales"][0]["datasets"].append({"path": "s9"})
    group.attrs["ome"] = facts
    with pytest.raises(ImageError, match="damaged"):
        OmeZarrImage(tmp_path / "a.zarr")


def test_an_image_in_a_store() -> None:
    pixels = np.arange(600, dtype="uint16").reshape(20, 30)
    written("memory://bucket/with space/#1 é.zarr", pixels, "yx")
    image = OmeZarrImage("memory://bucket/with space/#1 é.zarr")
    assert image.info.name == "#1 é"
    np.testing.assert_array_equal(image.read((0,), Region(1, 2, 19, 28))[0], pixels[1:19, 2:28])


@pytest.mark.parametrize("where", ["nowhere", "translation"])
def test_without_a_scale_nothing_is_said_of_the_pixel_size(tmp_path: Path, where) -> None:
    written(tmp_path / "a.zarr", np.zeros((20, 30), np.uint8), "yx")
    group = zarr.open_group(tmp_path / "a.zarr")
    facts = dict(group.attrs["ome"])
    dataset = facts["multiscales"][0]["datasets"][0]
    dataset.pop("coordinateTransformations")
    if where == "translation":
        dataset["coordinateTransformations"] = [{"type": "translation", "translation": [1, 1]}]
    group.attrs["ome"] = facts
    assert OmeZarrImage(tmp_path / "a.zarr").info.pixel_size is None


@pytest.mark.parametrize("scale", ["0_5", None, "x", True])
def test_a_scale_that_is_no_number(tmp_path: Path, scale) -> None:
    written(tmp_path / "a.zarr", np.zeros((20, 30), np.uint8), "yx", scale=[1, 1])
    group = zarr.open_group(tmp_path / "a.zarr")
    facts = dict(group.attrs["ome"])
    facts["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] = [scale, scale]
    group.attrs["ome"] = facts
    with pytest.raises(ImageError, match="a number is expected"):
        OmeZarrImage(tmp_path / "a.zarr")
