"""Complete OME-TIFFs that do not say where their planes are are read; of incomplete ones is said what is missing."""

import numpy as np
import pytest
import tifffile

from cellscale.errors import ImageError
from cellscale.images.info import PixelSize
from cellscale.images.open import open_image
from tests.images.ome_files import NAMES, ome_xml, planes, read, write_ome

OTHER = '<UUID FileName="{}">urn:uuid:11111111-2222-3333-4444-555555555555</UUID>'
RENAMED = "".join(
    f'<TiffData FirstC="{number}" IFD="{number}" PlaneCount="1">{OTHER.format("old.ome.tif")}</TiffData>'
    for number in range(3)
)
COMPLETE = {
    "no TiffData": "",
    "MetadataOnly": "<MetadataOnly/>",
    "an IFD alone": '<TiffData IFD="0"/>',
    "a TiffData a page, without FirstC": "".join(f'<TiffData IFD="{page}" PlaneCount="1"/>' for page in range(3)),
    "renamed, no UUID": RENAMED,
}


@pytest.mark.parametrize("what", COMPLETE)
def test_pages_are_taken_in_their_order(tmp_path, what):
    info, pixels = read(write_ome(tmp_path / "x.ome.tif", ome_xml(COMPLETE[what])))
    assert [channel.name for channel in info.channels] == list(NAMES)
    assert info.pixel_size == PixelSize(0.5, 0.5)
    np.testing.assert_array_equal(pixels, planes())
    assert len([text for text in info.warnings if "taken in their order, as Bio-Formats does" in text]) == 1


def test_samples_that_are_pages_are_channels(tmp_path):
    path = write_ome(tmp_path / "x.ome.tif", ome_xml(names=["DAPI"], channel='SamplesPerPixel="3"'))
    info, pixels = read(path)
    assert [channel.name for channel in info.channels] == ["DAPI 1", "DAPI 2", "DAPI 3"]
    np.testing.assert_array_equal(pixels, planes())


def test_pages_that_are_samples_are_channels(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.ome.tif") as tiff:
        stored = np.moveaxis(planes(), 0, -1)
        tiff.write(stored, description=ome_xml("").encode(), metadata=None, photometric="rgb", planarconfig="contig")
    info, pixels = read(tmp_path / "x.ome.tif")
    assert [channel.name for channel in info.channels] == list(NAMES)
    np.testing.assert_array_equal(pixels, planes())


def test_smaller_levels_are_no_planes(tmp_path):
    path = tmp_path / "x.ome.tif"
    with tifffile.TiffWriter(path) as tiff:
        for number, plane in enumerate(planes()):
            options = {"metadata": None, "photometric": "minisblack", "contiguous": False}
            description = ome_xml("").encode() if number == 0 else None
            tiff.write(plane, description=description, subifds=1, **options)
            tiff.write(plane[::2, ::2], subfiletype=1, **options)
    info, pixels = read(path)
    np.testing.assert_array_equal(pixels, planes())
    assert info.levels == ((60, 80), (30, 40))


@pytest.mark.parametrize("data", ["<TiffData/>", "", "<MetadataOnly/>"])
def test_what_is_missing_is_said(tmp_path, data):
    path = write_ome(tmp_path / "x.ome.tif", ome_xml(data), planes(1))
    with pytest.raises(ImageError, match=r"incomplete: .* 3 planes .* 1 is there.* missing: CD3, PanCK\. Export"):
        open_image(path)


def test_files_that_are_missing_are_named(tmp_path):
    path = write_ome(tmp_path / "x.ome.tif", ome_xml(RENAMED), planes(2))
    with pytest.raises(ImageError, match=r"incomplete: .* 2 are there; .* cannot be found: old\.ome\.tif\. Keep"):
        open_image(path)


def test_a_file_that_is_named_and_there_is_asked(tmp_path):
    path = write_ome(tmp_path / "x.ome.tif", ome_xml(RENAMED), planes() // 2)
    write_ome(tmp_path / "old.ome.tif", ome_xml(root='UUID="urn:uuid:11111111-2222-3333-4444-555555555555"'))
    with pytest.raises(ImageError, match=r"begins in old\.ome\.tif"):
        open_image(path)


def test_places_that_are_said_are_kept(tmp_path):
    data = "".join(f'<TiffData FirstC="{2 - page}" IFD="{page}" PlaneCount="1"/>' for page in range(3))
    info, pixels = read(write_ome(tmp_path / "x.ome.tif", ome_xml(data)))
    np.testing.assert_array_equal(pixels, planes()[::-1])
    assert info.warnings == ()
    twice = "".join(f'<TiffData FirstC="1" IFD="{page}" PlaneCount="1"/>' for page in range(3))
    with pytest.raises(ImageError, match="names plane 2 3 times"):
        open_image(write_ome(tmp_path / "y.ome.tif", ome_xml(twice)))
