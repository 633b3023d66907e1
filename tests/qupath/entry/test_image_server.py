"""An image is described to QuPath as Bio-Formats would."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cellscale.images.info import Channel, ImageInfo, PixelSize
from cellscale.qupath.entry.image_server import argb_color, entry_name, server_builder, server_id, server_metadata


def info_of(**changes) -> ImageInfo:
    info = ImageInfo(
        name="image",
        uri="/data/image.ome.tiff",
        height=600,
        width=1001,
        dtype=np.dtype(np.uint16),
        channels=(Channel(0, "DAPI"), Channel(1, " ")),
        pixel_size=PixelSize(0.25, 0.5),
        levels=((600, 1001), (300, 501)),
        chunk=(256, 512),
    )
    return replace(info, **changes)


def test_builder_and_identifier():
    builder = server_builder(info_of(uri="/data/a b#1%/é.tiff", series=2))
    assert builder["uri"] == "file:/data/a%20b%231%25/%C3%A9.tiff"
    assert builder["args"] == ["--series", "2"]
    assert server_id(builder) == "BioFormatsImageServer: file:/data/a%20b%231%25/%C3%A9.tiff[--series, 2]"


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("/data/a b.ome.tiff", "a b.ome.tiff"),
        (Path("/data/x.tif"), "x.tif"),
        ("gs://bucket/folder/50%.tiff", "50%.tiff"),
        ("file:///data/a%20b.tiff", "a b.tiff"),
    ],
)
def test_images_are_named_by_their_files(uri, name):
    assert entry_name(info_of(uri=uri)) == name
    assert server_metadata(info_of(uri=uri))["name"] == name


def test_an_array_cannot_enter_a_project():
    with pytest.raises(ValueError, match="image is an array"):
        server_builder(info_of(uri=None))


def test_pixel_size_and_its_absence():
    calibration = server_metadata(info_of())["pixelCalibration"]
    assert calibration["pixelWidth"] == {"value": 0.25, "unit": "µm"}
    assert calibration["pixelHeight"] == {"value": 0.5, "unit": "µm"}
    calibration = server_metadata(info_of(pixel_size=None))["pixelCalibration"]
    assert calibration["pixelWidth"] == calibration["pixelHeight"] == {"value": 1.0, "unit": "px"}


def test_levels_are_halved_where_their_size_allows():
    levels = server_metadata(info_of())["levels"]
    assert [(level["downsample"], level["width"], level["height"]) for level in levels] == [
        (1.0, 1001, 600),
        (2.0, 501, 300),
    ]
    levels = server_metadata(info_of(levels=((600, 1001), (200, 334))))["levels"]
    assert levels[1]["downsample"] == pytest.approx((1001 / 334 + 3) / 2)
    assert len(server_metadata(info_of(levels=()))["levels"]) == 1


@pytest.mark.parametrize(
    ("chunk", "tile"),
    [((256, 512), (512, 256)), ((8, 16), (32, 32)), ((1, 1001), (1001, 523)), ((1024, 1024), (1001, 523))],
)
def test_tiles_are_those_of_the_file_within_bounds(chunk, tile):
    metadata = server_metadata(info_of(chunk=chunk))
    assert (metadata["preferredTileWidth"], metadata["preferredTileHeight"]) == tile


@pytest.mark.parametrize(
    ("dtype", "bits", "expected"),
    [
        ("u2", None, {}),
        ("u2", 16, {}),
        ("u2", 12, {"maxValue": 4095}),
        ("i2", 10, {"minValue": -512, "maxValue": 511}),
        ("f4", 12, {}),
    ],
)
def test_significant_bits_bound_the_values(dtype, bits, expected):
    metadata = server_metadata(info_of(dtype=np.dtype(dtype), significant_bits=bits))
    assert {key: metadata[key] for key in ("minValue", "maxValue") if key in metadata} == expected


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("u1", "UINT8"),
        ("i1", "INT8"),
        ("u2", "UINT16"),
        ("i2", "INT16"),
        ("u4", "UINT32"),
        ("i4", "INT32"),
        ("f4", "FLOAT32"),
        ("f8", "FLOAT64"),
    ],
)
def test_pixel_types(dtype, name):
    assert server_metadata(info_of(dtype=np.dtype(dtype)))["pixelType"] == name


def test_blank_names_become_positions():
    assert [channel["name"] for channel in server_metadata(info_of())["channels"]] == ["DAPI", "Channel 2"]


@pytest.mark.parametrize(
    ("index", "count", "color", "expected"),
    [
        (0, 3, None, 0xFFFF0000),
        (5, 8, None, 0xFFFF00E0),
        (6, 8, None, 0xFFFFCC00),
        (7, 8, None, 0xFF00FFEE),
        (0, 1, None, 0xFFFFFFFF),
        (0, 1, 0x00FF00FF, 0xFF00FF00),
        (1, 2, -16776961, 0xFFFF0000),
        (0, 2, 255, 0xFF000000),
        (0, 2, 0, 0),
    ],
)
def test_colors(index, count, color, expected):
    assert argb_color(Channel(index, "x", color), count) & 0xFFFFFFFF == expected
