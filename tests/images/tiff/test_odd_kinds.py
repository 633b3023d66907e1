"""Odd ways to store channels: half floats, samples of a pixel, JPEG 2000 in several files, a macro picture."""

import uuid
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from cellscale.errors import CodecError, ImageError
from cellscale.images.info import PixelSize
from cellscale.images.open import open_image
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.regions import Region
from tests.images.ome_files import NAMES, ome_xml, planes, read, write_ome
from tests.images.zarr.test_ome_zarr import written

PLANES = planes()
STORED = np.moveaxis(PLANES, 0, -1)


@pytest.mark.parametrize(
    "options", [{}, {"tile": (32, 32)}, {"compression": "zlib", "predictor": True}, {"byteorder": ">"}]
)
def test_half_floats_are_read_as_float32(tmp_path: Path, options) -> None:
    pixels = (PLANES / 7).astype(np.float16)
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="minisblack", **options)
    info, found = read(tmp_path / "x.tif")
    assert info.dtype == found.dtype == np.float32
    np.testing.assert_array_equal(found, pixels.astype(np.float32))
    image = open_image(tmp_path / "x.tif")
    np.testing.assert_array_equal(image.read((1,), Region(3, 5, 40, 61))[0], pixels[1, 3:40, 5:61])
    image.close()


def test_half_floats_of_zarr_are_read_as_float32(tmp_path: Path) -> None:
    pixels = (PLANES / 7).astype(np.float16)
    written(tmp_path / "x.zarr", pixels, "cyx")
    assert zarr.open_group(tmp_path / "x.zarr", mode="r")["s0"].dtype == np.float16
    info, found = read(tmp_path / "x.zarr")
    assert info.dtype == found.dtype == np.float32
    np.testing.assert_array_equal(found, pixels.astype(np.float32))


PLACES = {
    "one Channel of three samples": (
        '<TiffData IFD="0" PlaneCount="1"/>', {"names": ["a"], "channel": 'SamplesPerPixel="3"'},
    ),
    "three Channels, three planes": ('<TiffData IFD="0" PlaneCount="3"/>', {}),
    "three Channels, a TiffData each": (
        "".join(f'<TiffData FirstC="{channel}" IFD="0" PlaneCount="1"/>' for channel in range(3)), {},
    ),
    "three Channels, one TiffData": ("<TiffData/>", {}),
}  # fmt: skip


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("photometric", ["rgb", "minisblack"])
def test_interleaved_samples_are_channels(tmp_path: Path, places, photometric) -> None:
    data, settings = PLACES[places]
    xml = ome_xml(data, pixels='ID="Pixels:0" Interleaved="true"', **settings)
    tifffile.imwrite(
        tmp_path / "x.ome.tif", STORED, description=xml.encode(), metadata=None, photometric=photometric,
        planarconfig="contig",
    )  # fmt: skip
    info, found = read(tmp_path / "x.ome.tif")
    np.testing.assert_array_equal(found, PLANES)
    assert info.pixel_size == PixelSize(0.5, 0.5)
    expected = ["a 1", "a 2", "a 3"] if "names" in settings else list(NAMES)
    assert [channel.name for channel in info.channels] == expected


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl", "jpegxr"])
def test_16_bits_in_several_files(tmp_path: Path, compression) -> None:
    ids = [f"urn:uuid:{uuid.UUID(int=number)}" for number in range(3)]
    data = "".join(
        f'<TiffData FirstC="{number}" PlaneCount="1"><UUID FileName="{number}.ome.tif">{one}</UUID></TiffData>'
        for number, one in enumerate(ids)
    )
    for number, one in enumerate(ids):
        write_ome_page(tmp_path / f"{number}.ome.tif", ome_xml(data, root=f'UUID="{one}"'), number, compression)
    info, found = read(tmp_path / "0.ome.tif")
    np.testing.assert_array_equal(found, PLANES)
    assert [channel.name for channel in info.channels] == list(NAMES)


def write_ome_page(path, xml, number, compression):
    tifffile.imwrite(
        path, PLANES[number], description=xml.encode(), metadata=None, photometric="minisblack",
        compression=compression, tile=(32, 32),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["ome", "plain"])
def test_a_macro_picture_larger_than_the_scan_is_passed_over(tmp_path: Path, kind) -> None:
    path = tmp_path / ("x.ome.tif" if kind == "ome" else "x.tif")
    with tifffile.TiffWriter(path, ome=kind == "ome") as writer:
        writer.write(np.zeros((400, 500, 3), np.uint8), photometric="rgb", metadata={} if kind == "ome" else None)
        if kind == "ome":
            writer.write(PLANES, photometric="minisblack", metadata={"axes": "CYX", "Channel": {"Name": list(NAMES)}})
        else:
            for plane in PLANES:
                writer.write(plane, photometric="minisblack", metadata=None)
    info, found = read(path)
    np.testing.assert_array_equal(found, PLANES)
    assert any("a colour picture of 200,000 pixels" in warning for warning in info.warnings)
    if kind == "ome":
        assert [channel.name for channel in info.channels] == list(NAMES)


def test_a_photograph_with_a_grey_thumbnail_is_a_photograph(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        writer.write(np.zeros((400, 500, 3), np.uint8), photometric="rgb", metadata=None)
        writer.write(np.zeros((40, 50), np.uint8), photometric="minisblack", metadata=None)
    with pytest.raises(ImageError, match="colour image"):
        open_image(tmp_path / "x.tif")


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [((50_800, 25_400), "INCH", PixelSize(0.5, 1.0)), ((2500, 2500), "CENTIMETER", PixelSize(4, 4)),
     ((2000, 2000), "CENTIMETER", None), ((4800, 4800), "INCH", None), ((20_000, 20_000), "NONE", None)],
)  # fmt: skip
def test_resolution_tags_are_trusted_below_5_micrometres_and_said(tmp_path: Path, resolution, unit, expected) -> None:
    tifffile.imwrite(tmp_path / "x.tif", PLANES[0], resolution=resolution, resolutionunit=unit, metadata=None)
    found = read(tmp_path / "x.tif")[0].pixel_size
    if expected is None:
        assert found is None
    else:
        assert (found.x, found.y) == pytest.approx((expected.x, expected.y))
        assert found.from_tags
        assert choose_pixel_size(read(tmp_path / "x.tif")[0]).source == "resolution tags of the file"


def test_where_ome_xml_says_it_tags_do_not_count(tmp_path: Path) -> None:
    info, _ = read(write_ome(tmp_path / "x.ome.tif", ome_xml()))
    assert info.pixel_size == PixelSize(0.5, 0.5)
    assert not info.pixel_size.from_tags


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("number", [32766, 32771, 32809], ids=["NeXT", "CCITT by words", "ThunderScan"])
def test_a_compression_that_no_library_reads_is_no_damage(tmp_path: Path, dtype, number) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, PLANES[0].astype(dtype), metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["Compression"].overwrite(number)
    with pytest.raises(CodecError, match=r"compressed with \w+, which tifffile .* does not read; save the"):
        open_image(path)
