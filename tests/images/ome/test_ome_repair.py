"""OME-XML that Bio-Formats throws away is told of by its attribute, corrected, and nothing else is."""

from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from cellscale.images.info import PixelSize
from cellscale.images.metadata_repair import repair_metadata
from cellscale.images.ome.ome_repair import corrected, faults_of, refusals
from cellscale.images.open import open_image
from tests.images.ome_files import NAMES, ome_xml, planes, write_ome


def unit(name):
    return f'PhysicalSizeX="0.5" PhysicalSizeXUnit="{name}" PhysicalSizeY="0.5" PhysicalSizeYUnit="{name}"'


REFUSED = {
    "hexadecimal colour": ({"channel": 'Color="#FF0000"'}, "Channel Color", 'Color="-16776961"'),
    "unsigned colour": ({"channel": 'Color="4278190335"'}, "Channel Color", 'Color="-16776961"'),
    "named colour": ({"channel": 'Color="red"'}, "Channel Color", None),
    "no colour": ({"channel": 'Color=""'}, "Channel Color", None),
    "um": ({"size": unit("um")}, "Pixels PhysicalSizeXUnit", 'PhysicalSizeXUnit="µm"'),
    "micrometer": ({"size": unit("micrometer")}, "PhysicalSizeXUnit", 'PhysicalSizeYUnit="µm"'),
    "Greek mu": ({"size": unit("\u03bcm")}, "PhysicalSizeXUnit", 'PhysicalSizeXUnit="µm"'),
    "unknown unit": ({"size": unit("furlong")}, "PhysicalSizeXUnit", None),
    "size 0": ({"size": 'PhysicalSizeX="0" PhysicalSizeY="0"'}, 'PhysicalSizeX="0"', None),
    "negative size": ({"size": 'PhysicalSizeX="-0.5" PhysicalSizeY="0.5"'}, 'PhysicalSizeX="-0.5"', None),
    "decimal comma": ({"size": 'PhysicalSizeX="0,5"'}, 'PhysicalSizeX="0,5"', 'PhysicalSizeX="0.5"'),
    "thousands or decimals": ({"size": 'PhysicalSizeX="1,500"'}, 'PhysicalSizeX="1,500"', None),
    "INF": ({"size": 'PhysicalSizeZ="INF"'}, 'PhysicalSizeZ="INF"', None),
    "wavelength 0": ({"channel": 'ExcitationWavelength="0"'}, 'ExcitationWavelength="0"', None),
    "no wavelength": ({"channel": 'EmissionWavelength=""'}, 'EmissionWavelength=""', None),
    "unknown mode": ({"channel": 'AcquisitionMode="Fluorescence"'}, "AcquisitionMode", 'AcquisitionMode="Other"'),
    "mode in other letters": ({"channel": 'AcquisitionMode="Wide-field"'}, "Mode", 'AcquisitionMode="WideField"'),
    "no significant bits": ({"size": 'SignificantBits="0"'}, 'SignificantBits="0"', None),
    "bits with a point": ({"size": 'SignificantBits="12.0"'}, "SignificantBits", 'SignificantBits="12"'),
    "image without ID": ({"image": ""}, "Image without ID", 'Image ID="Image:0"'),
    "pixels without ID": ({"pixels": ""}, "Pixels without ID", 'ID="Pixels:0"'),
    "numpy's type": ({"kind": "float32"}, 'Type="float32"', 'Type="uint16"'),
    "exposure": (
        {"data": '<TiffData/><Plane TheC="0" TheZ="0" TheT="0" ExposureTime="INF"/>'}, 'ExposureTime="INF"', None,
    ),
    "objective": (
        {"inner": '<Instrument ID="Instrument:0"><Objective ID="Objective:0" Immersion="air"/></Instrument>'},
        'Immersion="air"', 'Immersion="Air"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_named_and_corrected(what):
    settings, named, expected = REFUSED[what]
    text = ome_xml(**settings)
    (warning,) = refusals(text)
    assert named in warning
    assert "cellscale repair-metadata" in warning
    root = ElementTree.fromstring(text)
    assert corrected(root, "uint16")
    assert faults_of(root) == []
    found = ElementTree.tostring(root, encoding="unicode")
    if expected is not None:
        assert expected in found
    else:
        assert named.split('="')[0].split()[-1] not in found.replace("PhysicalSizeYUnit", "").replace("IDs", "")


GOOD = {
    "plain": {},
    "micro sign": {"size": unit("µm")},
    "nanometres": {"size": unit("nm")},
    "pixels": {"size": unit("pixel")},
    "signed colour": {"channel": 'Color="-16776961"'},
    "words": {
        "channel": 'AcquisitionMode="WideField" ContrastMethod="Fluorescence" IlluminationType="Epifluorescence"'
    },
    "wavelengths": {"channel": 'ExcitationWavelength="358.5" EmissionWavelength="461"'},
    "numbers as Java reads them": {"size": 'PhysicalSizeX=" 3.25E-1 " PhysicalSizeY=".325" SignificantBits="12"'},
    "what is not of OME": {"after": "<Extra Type='anything' SizeX='0'/>"},
    "no TiffData": {"data": ""},
}


@pytest.mark.parametrize("what", GOOD)
def test_what_bio_formats_reads_is_not_told_of(what):
    assert refusals(ome_xml(**GOOD[what])) == ()


def test_words_of_older_schemas_are_theirs():
    old = ome_xml(channel='AcquisitionMode="LaserScanningMicroscopy"').replace("2016-06", "2011-06")
    assert refusals(old) == ()
    assert refusals(ome_xml(channel='Color="red"').replace("2016-06", "2011-06"))
    assert refusals(ome_xml(image="").replace("2016-06", "2007-06")) == ()


def test_real_images_are_not_told_of(shared, tmp_path):
    images = sorted(shared.glob("data/workspace/OMETIFF/*.ome.tif*")) + sorted(
        shared.glob("qupath/golden/*/OMETIFF/*")
    )
    assert len(images) > 5
    for path in images:
        with tifffile.TiffFile(path) as tiff:
            assert refusals(tiff.ome_metadata) == (), path
    metadata = {"axes": "CYX", "PhysicalSizeX": 0.3, "PhysicalSizeXUnit": "µm", "Channel": {"Name": list(NAMES)}}
    tifffile.imwrite(tmp_path / "x.ome.tif", planes(), metadata=metadata, photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "x.ome.tif") as tiff:
        assert refusals(tiff.ome_metadata) == ()


def pixels_of(path):
    with tifffile.TiffFile(path) as tiff:
        return [page.asarray() for page in tiff.pages]


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}])
@pytest.mark.parametrize("in_place", [False, True])
def test_a_repaired_file_has_the_pixels_that_it_had(tmp_path, options, in_place):
    path = write_ome(tmp_path / "x.ome.tif", ome_xml(size=unit("um"), channel='Color="#FF0000"'), **options)
    before, pixels = path.read_bytes(), pixels_of(path)
    done = repair_metadata(path, in_place=in_place)
    assert done.written == (path if in_place else tmp_path / "x_repaired.ome.tiff")
    assert 'Pixels PhysicalSizeXUnit="um": µm' in done.changes
    after = done.written.read_bytes()
    width = 16 if "bigtiff" in options else 8
    changed = [place for place, (one, other) in enumerate(zip(before, after, strict=False)) if one != other]
    assert changed[-1] - changed[0] < width
    for one, other in zip(pixels, pixels_of(done.written), strict=True):
        np.testing.assert_array_equal(one, other)
    if not in_place:
        assert path.read_bytes() == before
    image = open_image(done.written)
    assert [channel.name for channel in image.info.channels] == list(NAMES)
    assert [channel.color for channel in image.info.channels] == [-16776961] * 3
    assert image.info.pixel_size == PixelSize(0.5, 0.5)
    assert image.info.warnings == ()
    np.testing.assert_array_equal(image.read((0, 1, 2), image.info.region), planes())
    image.close()
    assert repair_metadata(done.written, in_place=True).written is None


def test_pages_without_a_place_get_one(tmp_path):
    path = write_ome(tmp_path / "x.ome.tif", ome_xml(""))
    done = repair_metadata(path)
    image = open_image(done.written)
    assert image.info.warnings == ()
    np.testing.assert_array_equal(image.read((0, 1, 2), image.info.region), planes())
    image.close()
