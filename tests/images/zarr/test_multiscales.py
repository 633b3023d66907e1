"""Metadata of an OME-Zarr of each version: of the kinds they have to be, or named; and what is said of a plate."""

import re

import numpy as np
import pytest
import zarr

from cellscale.errors import ImageError
from cellscale.images.info import PixelSize
from cellscale.images.zarr.ome_zarr import OmeZarrImage
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.images.zarr.test_ome_zarr import written

PIXELS = np.random.default_rng(0).integers(0, 999, (2, 40, 30)).astype(np.uint16)
AXES = [{"name": "c", "type": "channel", "discrete": True}] + [
    {"name": name, "type": "space", "unit": "micrometer"} for name in "yx"
]
SCALE = {"type": "scale", "scale": [1, 0.5, 0.25]}
SHIFT = {"type": "translation", "translation": [0, 7, 7]}
SEQUENCE = {"type": "sequence", "transformations": [SCALE, SHIFT]}


def newest(path, systems, transformations, **more):
    group = zarr.open_group(path, mode="w", zarr_format=3)
    group.create_array("0", data=PIXELS)
    datasets = [{"path": "0", "coordinateTransformations": transformations}]
    scales = {"coordinateSystems": systems, "datasets": datasets, **more}
    group.attrs["ome"] = {"version": "0.6rc0", "multiscales": [scales]}


@pytest.mark.parametrize(
    "transformation",
    [
        {**SCALE, "input": "0", "output": "physical"},
        {**SEQUENCE, "input": "0", "output": "physical"},
        {**SCALE, "input": {"path": "0"}, "output": {"name": "physical"}},
    ],
)
def test_axes_and_sizes_are_those_of_the_images_coordinate_system(tmp_path, transformation):
    other = {"name": "stage", "axes": [{"name": name, "type": "space"} for name in "abc"]}
    after = [{"type": "scale", "scale": [1, 9, 9], "input": "physical", "output": "stage"}]
    newest(
        tmp_path / "a.ome.zarr", [other, {"name": "physical", "axes": AXES}], [transformation],
        coordinateTransformations=after,
    )  # fmt: skip
    image = OmeZarrImage(tmp_path / "a.ome.zarr")
    assert image.info.pixel_size == PixelSize(0.25, 0.5)
    assert image.info.warnings == ()
    np.testing.assert_array_equal(image.read((0, 1), image.info.region), PIXELS)


def test_a_coordinate_system_without_transformations_is_enough(tmp_path):
    newest(tmp_path / "a.ome.zarr", [{"name": "p", "axes": AXES}], [])
    image = OmeZarrImage(tmp_path / "a.ome.zarr")
    assert image.info.pixel_size is None
    np.testing.assert_array_equal(image.read((1,), image.info.region)[0], PIXELS[1])
    newest(tmp_path / "b.ome.zarr", [{"name": "p"}], [])
    with pytest.raises(ImageError, match="no coordinate system with axes"):
        OmeZarrImage(tmp_path / "b.ome.zarr")


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_versions_without_axes_are_named_as_too_old(tmp_path, version):
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=PIXELS[None, :, None])
    group.attrs["multiscales"] = [{"version": version, "datasets": [{"path": "0"}]}]
    with pytest.raises(ImageError, match=rf"version {version} found, which is too old.* 0\.4, 0\.5 or 0\.6 expected"):
        OmeZarrImage(tmp_path / "a.ome.zarr")


def test_a_version_without_sizes_is_read_and_named(tmp_path):
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=PIXELS)
    group.attrs["multiscales"] = [{"version": "0.3", "axes": ["c", "y", "x"], "datasets": [{"path": "0"}]}]
    image = OmeZarrImage(tmp_path / "a.ome.zarr")
    np.testing.assert_array_equal(image.read((0, 1), image.info.region), PIXELS)
    assert "version 0.3 is old" in image.info.warnings[0]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_what_is_said_of_a_plate_can_be_followed(tmp_path, version):
    folder = tmp_path / "OMETIFF"
    folder.mkdir()
    plate = folder / "plate.ome.zarr"
    group = zarr.open_group(plate, mode="w", zarr_format=3 if version == "0.5" else 2)
    well = group.create_group("B").create_group("3")
    facts = [
        (group, {"plate": {"wells": [{"path": "B/3"}], "version": version}}),
        (well, {"well": {"images": [{"path": "field7"}], "version": version}}),
    ]
    for holder, fact in facts:
        holder.attrs.update({"ome": {"version": version, **fact}} if version == "0.5" else fact)
    written(plate / "B" / "3" / "field7", PIXELS, "cyx", version=version)
    with pytest.raises(ImageError, match="a plate of 1 wells with many images") as caught:
        OmeZarrImage(plate)
    words = str(caught.value).split("ln -s ")[1].split(",")[0].split()
    assert words == ["plate.ome.zarr/B/3/field7", "plate_B_3_field7.ome.zarr"]
    (folder / words[1]).symlink_to(words[0])
    names = [entry.name for entry in discover(workspace_paths(tmp_path), "plate_")]
    assert names == ["plate_B_3_field7"]
    image = OmeZarrImage(folder / words[1])
    np.testing.assert_array_equal(image.read((0, 1), image.info.region), PIXELS)
    with pytest.raises(ImageError, match=r"ln -s 3/field7 3_field7\.ome\.zarr"):
        OmeZarrImage(plate / "B" / "3")


AXES_CYX = [{"name": "c"}, {"name": "y", "unit": "micrometer"}, {"name": "x", "unit": "micrometer"}]
DATASETS = [{"path": "0", "coordinateTransformations": [SCALE]}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"axes": "cyx"}, "'cyx' found for axes in its metadata, a list is expected"),
        ({"axes": 3}, "a list is expected"),
        ({"axes": [{"name": "c"}, {"name": "x"}, {"name": "y"}]}, "axes c, x, y found"),
        ({"axes": ["y", "y", "x"]}, "axes y, y, x found"),
        ({"axes": [{"name": "c"}, {"name": "y", "unit": 3}, {"name": "x"}]}, "3 found for the unit of an axis"),
        ({"datasets": "s0"}, "'s0' found for datasets"),
        ({"datasets": []}, "no resolutions"),
        ({"datasets": ["0"]}, "an object is expected"),
        ({"datasets": [{"path": 0}]}, "0 found for the path of a resolution in its metadata, a text is expected"),
        ({"datasets": [{"path": "0", "coordinateTransformations": "scale"}]}, "a list is expected"),
        ({"datasets": [{"path": "0", "coordinateTransformations": ["scale"]}]}, "an object is expected"),
        (
            {"datasets": [{**DATASETS[0], "coordinateTransformations": [{**SCALE, "scale": 1}]}]},
            "1 found for a scale",
        ),
        (
            {"datasets": [{**DATASETS[0], "coordinateTransformations": [{**SCALE, "scale": [1]}]}]},
            "a scale of 1 numbers",
        ),
        ({"axes": None, "coordinateSystems": 2**31}, "2147483648 found for coordinateSystems"),
        ("multiscales", "'multiscales' found for an entry of multiscales"),
    ],
)
def test_values_of_another_kind_are_named(tmp_path, change, words):
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="w", zarr_format=3)
    group.create_array("0", data=PIXELS)
    scales = {"axes": AXES_CYX, "datasets": DATASETS} | change if isinstance(change, dict) else change
    if isinstance(scales, dict) and scales["axes"] is None:
        del scales["axes"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [scales]}
    with pytest.raises(ImageError, match=re.escape(words)) as caught:
        OmeZarrImage(tmp_path / "a.ome.zarr")
    assert "a.ome.zarr: " in str(caught.value)


def test_sequences_in_one_another_without_end_are_refused(tmp_path):
    step = SCALE
    for _ in range(30):
        step = {"type": "sequence", "transformations": [step]}
    newest(tmp_path / "a.ome.zarr", [{"name": "p", "axes": AXES}], [step])
    with pytest.raises(ImageError, match="sequences of transformations in one another"):
        OmeZarrImage(tmp_path / "a.ome.zarr")
