"""Channels and µm/px come from the metadata."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellscale.errors import ImageError
from cellscale.images.info import PixelSize
from cellscale.images.ome.ome_metadata import parse_ome_xml
from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.regions import Region


def info_of(path):
    with TiffImage(path) as image:
        return image.info


def ome(pixels="", channels="", size_c=2, attributes=""):
    return (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0" Name="x"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="20" '
        f'SizeY="10" SizeC="{size_c}" SizeZ="1" SizeT="1" {attributes}>{channels}'
        f'<TiffData IFD="0" PlaneCount="{size_c}"/>{pixels}</Pixels></Image></OME>'
    )


def written(path, xml, count=2):
    tifffile.imwrite(
        path, np.zeros((count, 10, 20), np.uint16), description=xml.encode(), metadata=None, photometric="minisblack"
    )
    return info_of(path)


def test_names_are_kept_to_the_letter(tmp_path: Path) -> None:
    names = [" DAPI ", "µm/é\N{DNA DOUBLE HELIX}", "a &amp; &lt;b&gt;", "a &amp; &lt;b&gt;"]
    channels = "".join(f'<Channel ID="Channel:0:{i}" Name="{n}"/>' for i, n in enumerate(names))
    found = written(tmp_path / "x.ome.tif", ome(channels=channels, size_c=4), 4)
    assert [one.name for one in found.channels] == [" DAPI ", "µm/é\N{DNA DOUBLE HELIX}", "a & <b>", "a & <b>"]
    assert [one.index for one in found.channels] == [0, 1, 2, 3]


def test_missing_names_are_numbered_from_one(tmp_path: Path) -> None:
    found = written(tmp_path / "x.ome.tif", ome(channels='<Channel ID="Channel:0:0"/>', size_c=3), 3)
    assert [one.name for one in found.channels] == ["Channel 1", "Channel 2", "Channel 3"]


def test_colours_and_significant_bits(tmp_path: Path) -> None:
    channels = '<Channel ID="Channel:0:0" Color="-16776961"/><Channel ID="Channel:0:1" Color="red"/>'
    found = written(tmp_path / "x.ome.tif", ome(channels=channels, attributes='SignificantBits="12"'))
    assert [one.color for one in found.channels] == [-16776961, None]
    assert 'Color="red"' in found.warnings[0]
    assert found.significant_bits == 12


@pytest.mark.parametrize(
    ("colors", "told"),
    [(('Color="None"', 'Color="none"'), 1), (("", 'Color="-1"'), 0), (('Color="255"', 'Color=""'), 1)],
)
def test_colours_that_keep_qupath_from_reading_the_file_are_told(tmp_path: Path, colors, told) -> None:
    channels = "".join(f'<Channel ID="Channel:0:{i}" Name="c{i}" {one}/>' for i, one in enumerate(colors))
    found = written(tmp_path / "x.ome.tif", ome(channels=channels))
    assert [one.name for one in found.channels] == ["c0", "c1"]
    assert len(found.warnings) == told
    assert all("QuPath" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("size", "unit", "expected"),
    [
        ("0.325", None, 0.325),
        ("0.325", "µm", 0.325),
        ("0.325", "μm", 0.325),  # Greek mu
        ("0.325", "um", 0.325),
        ("325", "nm", 0.325),
        ("0.000325", "mm", 0.000325 * 1000),
        ("3.25E-5", "cm", 0.325),
        ("3250", "Å", 0.325),
        ("325000", "pm", 0.325),
        ("3.25e-7", "m", 0.325),
        ("1", "in", 25_400.0),
        ("1", "thou", 25.4),
        ("0.5", "pixel", None),
        ("0.5", "reference frame", None),
        ("0.5", "parrot", None),
        ("0", "µm", None),
        ("-0.5", "µm", None),
        ("NaN", "µm", None),
        ("INF", "µm", None),
        ("half", "µm", None),
    ],
)
def test_units_become_micrometres(size, unit, expected) -> None:
    units = "" if unit is None else f'PhysicalSizeXUnit="{unit}" PhysicalSizeYUnit="{unit}"'
    (image,) = parse_ome_xml(ome(attributes=f'PhysicalSizeX="{size}" PhysicalSizeY="{size}" {units}'), "x")
    if expected is None:
        assert image.pixel_size is None
    else:
        assert image.pixel_size.x == pytest.approx(expected, rel=1e-12)
        assert image.pixel_size.y == image.pixel_size.x


def test_nanometres_give_the_number_a_person_expects() -> None:
    sizes = 'PhysicalSizeX="377" PhysicalSizeXUnit="nm" PhysicalSizeY="0.5"'
    (image,) = parse_ome_xml(ome(attributes=sizes), "x")
    assert image.pixel_size == PixelSize(0.377, 0.5)


def test_one_side_alone_makes_square_pixels() -> None:
    (image,) = parse_ome_xml(ome(attributes='PhysicalSizeY="0.4"'), "x")
    assert image.pixel_size == PixelSize(0.4, 0.4)


def test_unreadable_xml_is_told() -> None:
    with pytest.raises(ImageError, match=r"x\.tif.*OME-XML cannot be read"):
        parse_ome_xml("<OME><Image></OME>", "x.tif")


def test_the_image_with_most_pixels_and_its_own_metadata(tmp_path: Path) -> None:
    path = tmp_path / "several.ome.tif"
    big = np.arange(2 * 40 * 30, dtype=np.uint16).reshape(2, 40, 30)
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(np.zeros((8, 8), np.uint16), metadata={"PhysicalSizeX": 9.0, "Channel": {"Name": ["label"]}})
        options = {"photometric": "minisblack"}
        names = {"axes": "CYX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5, "Channel": {"Name": ["DAPI", "m"]}}
        writer.write(big, metadata=names, **options)
        writer.write(big + 1, metadata={"axes": "CYX", "PhysicalSizeX": 7.0}, **options)
    with TiffImage(path) as image:
        assert image.info.series == 1
        assert image.info.pixel_size == PixelSize(0.25, 0.5)
        assert [one.name for one in image.info.channels] == ["DAPI", "m"]
        np.testing.assert_array_equal(image.read((0, 1), image.info.region), big)
        (warning,) = image.info.warnings
        assert "holds 2 images of like size; only image 1 (Image1) is worked on" in warning


def test_the_image_that_is_worked_on_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scenes.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for name, side in (("core A", 30), ("core B", 40), ("core C", 39)):
            writer.write(np.zeros((side, side), np.uint16), metadata={"Name": name})
    (warning,) = info_of(path).warnings
    assert "holds 3 images of like size; only image 2 (core B) is worked on" in warning


def test_pages_that_are_not_taken_for_channels_are_told(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        for photometric in ("minisblack", "miniswhite", "minisblack"):
            writer.write(np.zeros((30, 40), np.uint16), metadata=None, photometric=photometric)
    found = info_of(tmp_path / "x.tif")
    assert len(found.channels) == 2
    assert "holds 2 images of like size" in found.warnings[0]


def test_a_level_without_pixels_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "one.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(np.zeros((2, 64, 64), np.uint16), subifds=2, photometric="minisblack", metadata={"axes": "CYX"})
        for side in (32, 16):
            writer.write(np.zeros((2, side, side), np.uint16), subfiletype=1, photometric="minisblack")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for page in tiff.series[0].levels[2].pages:
            page.aspage().tags["ImageWidth"].overwrite(0)
    found = info_of(path)
    assert found.levels == ((64, 64), (32, 32))
    assert any("levels without pixels are passed over: " in warning for warning in found.warnings)


def test_levels_and_small_overviews_are_no_further_images(tmp_path: Path) -> None:
    path = tmp_path / "one.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(np.zeros((2, 64, 64), np.uint16), subifds=1, photometric="minisblack", metadata={"axes": "CYX"})
        writer.write(np.zeros((2, 32, 32), np.uint16), subfiletype=1, photometric="minisblack")
        writer.write(np.zeros((30, 30), np.uint16), metadata={"Name": "label image"})
    found = info_of(path)
    assert found.levels == ((64, 64), (32, 32))
    assert found.warnings == ()


def test_imagej_names_and_calibration(tmp_path: Path) -> None:
    for unit in ("micron", "um", "\\u00B5m"):
        tifffile.imwrite(
            tmp_path / "ij.tif", np.zeros((2, 10, 20), np.uint16), imagej=True, resolution=(4, 2),
            metadata={"axes": "CYX", "unit": unit, "Labels": ["DAPI", "CD 3"]},
        )  # fmt: skip
        found = info_of(tmp_path / "ij.tif")
        assert found.pixel_size == PixelSize(0.25, 0.5)
        assert [one.name for one in found.channels] == ["DAPI", "CD 3"]


@pytest.mark.parametrize(
    "unit", ["\\u00B5m", "\\u00b5m", "µm".encode(), "μm".encode(), "µm".encode("latin-1"), "micron"], ids=repr
)
def test_imagej_units_however_they_are_written(tmp_path: Path, unit) -> None:
    written = unit if isinstance(unit, bytes) else unit.encode()
    description = b"ImageJ=1.54f\nimages=2\nchannels=2\nhyperstack=true\nunit=" + written + b"\n"
    with tifffile.TiffWriter(tmp_path / "ij.tif") as writer:
        for number in range(2):
            writer.write(
                np.zeros((10, 20), np.uint16), description=None if number else description, metadata=None,
                resolution=(4, 2),
            )  # fmt: skip
    found = info_of(tmp_path / "ij.tif")
    assert found.pixel_size == PixelSize(0.25, 0.5)
    assert len(found.channels) == 2


@pytest.mark.parametrize(
    ("unit", "resolution", "expected"),
    [("CENTIMETER", (20_000, 10_000), PixelSize(0.5, 1.0)), ("INCH", (72, 72), None), ("NONE", (4, 2), None)],
)
def test_imagej_without_a_unit_has_that_of_the_resolution_tags(tmp_path: Path, unit, resolution, expected) -> None:
    tifffile.imwrite(
        tmp_path / "ij.tif", np.zeros((2, 10, 20), np.uint16), imagej=True, resolution=resolution,
        resolutionunit=unit, metadata={"axes": "CYX"},
    )  # fmt: skip
    assert info_of(tmp_path / "ij.tif").pixel_size == expected


def test_imagej_without_calibration(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "ij.tif", np.zeros((2, 10, 20), np.uint16), imagej=True, metadata={"axes": "CYX"})
    assert info_of(tmp_path / "ij.tif").pixel_size is None


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [((20_000, 10_000), "CENTIMETER", PixelSize(0.5, 1.0)), ((72, 72), "INCH", None), ((28, 28), "CENTIMETER", None)],
)
def test_resolution_tags_count_in_centimetres_only(tmp_path: Path, resolution, unit, expected) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((9, 9), np.uint8), resolution=resolution, resolutionunit=unit)
    assert info_of(tmp_path / "x.tif").pixel_size == expected


def test_pages_of_a_plain_tiff_are_channels(tmp_path: Path) -> None:
    pages = np.arange(3 * 10 * 20, dtype=np.uint8).reshape(3, 10, 20)
    tifffile.imwrite(tmp_path / "a.b.tif", pages, metadata=None, photometric="minisblack")
    with TiffImage(tmp_path / "a.b.tif") as image:
        assert image.info.name == "a.b"
        assert len(image.info.channels) == 3
        np.testing.assert_array_equal(image.read((2,), Region(0, 0, 10, 20))[0], pages[2])


def test_the_real_images(shared: Path) -> None:
    folder = shared / "data/workspace/OMETIFF"
    tissue, breast = info_of(folder / "TissueSample.ome.tiff"), info_of(folder / "BreastMIBI.ome.tiff")
    assert (tissue.name, tissue.shape, tissue.pixel_size) == ("TissueSample", (512, 512), PixelSize(0.5, 0.5))
    assert [one.name for one in tissue.channels] == ["DAPI", "Membrane"]
    assert len(breast.channels) == 22
    assert breast.channels[18].name == "NaK ATPase"
