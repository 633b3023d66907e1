"""Names that the pages of a TIFF have, each for itself, and ImageJ's labels."""

import json

import numpy as np
import pytest
import tifffile

from cellscale.images.channels.imagej_labels import label_names
from cellscale.images.open import open_image

PLANES = np.arange(3 * 20 * 30, dtype=np.uint16).reshape(3, 20, 30)
SETTINGS = {"metadata": None, "photometric": "minisblack", "contiguous": False}
QPI = "PerkinElmer-QPI"


def qpi(name, biomarker="", image="FullResolution"):
    """Describe a page as a QPTIFF does: it calls itself UTF-16, and is UTF-8."""
    return (
        '<?xml version="1.0" encoding="utf-16"?>\r\n<PerkinElmer-QPI-ImageDescription>'
        f"<ImageType>{image}</ImageType><Name>{name}</Name>{biomarker}"
        "<Responsivity><Filter><Name>not this one</Name><Biomarker>nor this</Biomarker></Filter></Responsivity>"
        "</PerkinElmer-QPI-ImageDescription>"
    ).encode()


def write(path, planes, descriptions, *, software=None, names=None, **settings):
    with tifffile.TiffWriter(path) as tiff:
        for number, plane in enumerate(planes):
            tags = [(285, "s", 0, names[number], True)] if names else []
            tiff.write(
                plane, description=descriptions[number], software=software, extratags=tags, **SETTINGS | settings
            )
    return path


def channels(path):
    image = open_image(path)
    np.testing.assert_array_equal(image.read((0, 1, 2), image.info.region), PLANES)
    image.close()
    return [channel.name for channel in image.info.channels]


@pytest.mark.parametrize("suffix", [".tif", ".qptiff"])
def test_a_qptiff_has_biomarkers_or_filters(tmp_path, suffix):
    described = [qpi("DAPI"), qpi("Atto 550", "<Biomarker>CD45</Biomarker>"), qpi("µ &amp; Cy5", "<Biomarker/>")]
    path = write(tmp_path / f"a{suffix}", PLANES, described, software=QPI)
    assert channels(path) == ["DAPI", "CD45", "µ & Cy5"]


def test_a_scan_with_pyramid_thumbnail_and_label(tmp_path):
    described = [qpi("DAPI"), qpi("Opal 520", "<Biomarker>CD3</Biomarker>"), qpi("Sample AF")]
    rgb = np.zeros((8, 12, 3), np.uint8)
    tiles = {"tile": (16, 16), "software": QPI, **SETTINGS}
    with tifffile.TiffWriter(tmp_path / "a.qptiff", bigtiff=True) as tiff:
        for plane, text in zip(PLANES, described, strict=True):
            tiff.write(plane, description=text, **tiles)
        tiff.write(rgb, description=qpi("x", image="Thumbnail"), **tiles | {"tile": None, "photometric": "rgb"})
        for plane, text in zip(PLANES, described, strict=True):
            tiff.write(plane[::2, ::2], description=text.replace(b"Full", b"Reduced"), **tiles)
    assert channels(tmp_path / "a.qptiff") == ["DAPI", "CD3", "Sample AF"]


def test_a_mibi_image_has_targets(tmp_path):
    described = [json.dumps({"image.type": "SIMS", "channel.target": name}) for name in ("dsDNA", "CD45", "PanCK")]
    names = ["dsDNA (89)", "CD45 (90)", "PanCK (91)"]
    path = write(tmp_path / "a.tiff", PLANES, described, software="IonpathMIBIv1.0", names=names)
    assert channels(path) == ["dsDNA", "CD45", "PanCK"]
    assert channels(write(tmp_path / "b.tiff", PLANES, [None] * 3, names=names)) == ["dsDNA", "CD45", "PanCK"]


def test_pages_of_a_mibi_image_that_each_give_a_shape_are_its_channels(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tiff", shaped=True) as tiff:
        settings = {"photometric": "minisblack", "software": "IonpathMIBIv1.0", "contiguous": False}
        for plane, name in zip(PLANES, ("dsDNA", "CD45", "PanCK"), strict=True):
            tiff.write(plane, metadata={"image.type": "SIMS", "channel.target": name}, **settings)
        tiff.write(PLANES[0, ::2], metadata={"image.type": "SED"}, **settings)
        tiff.write(np.zeros((40, 50, 3), np.uint8), photometric="rgb", metadata={"image.type": "Optical"})
    assert channels(tmp_path / "a.tiff") == ["dsDNA", "CD45", "PanCK"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["DNA1(Ir191Di)", "CD45(Sm152Di)", "Nd144Di"], ["DNA1(Ir191Di)", "CD45(Sm152Di)", "Nd144Di"]),
        (["dsDNA (89)", "CD45", "PanCK (91)"], ["dsDNA (89)", "CD45", "PanCK (91)"]),
        (["a.tif"] * 3, ["Channel 1", "Channel 2", "Channel 3"]),
        (["DAPI", " ", "CD3"], ["DAPI", "Channel 2", "CD3"]),
    ],
)
def test_names_of_pages(tmp_path, names, expected):
    assert channels(write(tmp_path / "a.tif", PLANES, [None] * 3, names=names)) == expected


@pytest.mark.parametrize(
    "description",
    [
        b"<PerkinElmer-QPI-ImageDescription><Name>DAPI",
        b'<!DOCTYPE a [<!ENTITY b "c">]><PerkinElmer-QPI-ImageDescription><Name>&b;</Name>'
        b"</PerkinElmer-QPI-ImageDescription>",
        b"<PerkinElmer-QPI-ImageDescription/>",
        b'{"channel.target": 5}',
        b"[" * 5000,
        b"{" + b'"a":{' * 5000,
        b'{"channel.target": [',
    ],
)
def test_descriptions_without_a_name_or_damaged_give_none(tmp_path, description):
    path = write(tmp_path / "a.tif", PLANES, [description] * 3, software=QPI)
    assert channels(path) == ["Channel 1", "Channel 2", "Channel 3"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["DAPI\nExposure 5", "CD3", "X"], ["DAPI", "CD3", "X"]),
        (["c:1/3 - DAPI", "c:2/3 - CD3", "c:3/3 - "], ["DAPI", "CD3", "Channel 3"]),
        (["c:1/3 z:1/1 t:1/1 - DAPI", "c:2/3 z:1/1 t:1/1 - CD3", "CD8"], ["DAPI", "CD3", "CD8"]),
        (["c:1/3 - a.tif", "c:2/3 - a.tif", "c:3/3 - a.tif"], ["c:1/3 - a.tif", "c:2/3 - a.tif", "c:3/3 - a.tif"]),
        (["a.tif"] * 3, ["Channel 1", "Channel 2", "Channel 3"]),
        (["A", "B"], ["Channel 1", "Channel 2", "Channel 3"]),
    ],
)
def test_imagej_labels(tmp_path, labels, expected):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PLANES, imagej=True, metadata={"axes": "CYX", "Labels": labels})
    assert channels(path) == expected


def test_the_label_of_one_plane():
    assert label_names("DAPI\n", 1) == ["DAPI"]
    assert label_names(None, 1) == label_names({"a": 1}, 1) == []
