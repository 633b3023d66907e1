"""Planes of one image that are stored in different ways are each decoded in their own, or refused with the reason."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellscale.errors import ImageError
from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.regions import Region

PIXELS = np.random.default_rng(7).integers(0, 60_000, (3, 300, 270), dtype=np.uint16)
NAMES = ("c0.ome.tif", "c1.ome.tif", "c2.ome.tif")
UNLIKE = [
    {"byteorder": ">"},
    {"compression": "lzw"},
    {"compression": None},
    {"predictor": False},
    {"byteorder": ">", "compression": None},
    {"rowsperstrip": 41},
    {"tile": (64, 32)},
    {"bigtiff": True},
]


def ome_xml(identity=0, names=None, dtype="uint16"):
    planes = "".join(
        f'<TiffData FirstC="{i}" IFD="{0 if names else i}" PlaneCount="1">'
        + (f'<UUID FileName="{names[i]}">urn:uuid:{i}</UUID>' if names else "")
        + "</TiffData>"
        for i in range(len(PIXELS))
    )
    return (
        f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        f'UUID="urn:uuid:{identity}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="{dtype}" '
        f'SizeX="270" SizeY="300" SizeC="3" SizeZ="1" SizeT="1">{planes}</Pixels></Image></OME>'
    )


def one_file(path, unlike, page=1, xml=None, **usual):
    with tifffile.TiffWriter(path, bigtiff=False) as writer:
        for number, plane in enumerate(PIXELS):
            options = usual | (unlike if number == page else {})
            writer.write(plane, description=xml if number == 0 else None, metadata=None, **options)
    return path


def check(path):
    with TiffImage(path) as image:
        for region in (Region(0, 0, 300, 270), Region(37, 41, 259, 133)):
            np.testing.assert_array_equal(image.read((0, 1, 2), region), PIXELS[(slice(None), *region.slices)])
            np.testing.assert_array_equal(image.read((2, 1), region), PIXELS[([2, 1], *region.slices)])


@pytest.mark.parametrize("usual", [{"compression": "zlib", "predictor": True}, {}], ids=["compressed", "raw"])
@pytest.mark.parametrize("unlike", UNLIKE, ids=str)
def test_a_file_of_a_set_that_another_program_wrote(tmp_path: Path, usual, unlike) -> None:
    for number, name in enumerate(NAMES):
        options = usual | (unlike if number == 1 else {})
        if options.get("compression") is None:
            options.pop("predictor", None)
        tifffile.imwrite(
            tmp_path / name, PIXELS[number], description=ome_xml(number, NAMES), metadata=None, **options
        )
    check(tmp_path / NAMES[0])


@pytest.mark.parametrize("tile", [None, (64, 32)])
@pytest.mark.parametrize("page", [0, 1, 2])
@pytest.mark.parametrize(
    ("usual", "unlike"),
    [
        ({}, {"compression": "zlib"}),
        ({}, {"compression": "zlib", "predictor": True}),
        ({"compression": "zlib", "predictor": True}, {"predictor": False}),
        ({"compression": "zlib", "predictor": True}, {"compression": None, "predictor": False}),
        ({"compression": "zlib"}, {"compression": "lzw", "tile": (128, 128)}),
        ({"compression": "zlib"}, {"tile": None, "rowsperstrip": 77}),
    ],
    ids=str,
)
def test_a_page_that_was_appended_by_another_program(tmp_path: Path, usual, unlike, page, tile) -> None:
    check(one_file(tmp_path / "x.ome.tif", unlike, page, ome_xml(), **({"tile": tile} | usual)))


def test_pages_without_metadata_of_which_tifffile_looks_at_some_only(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    stack = np.concatenate([PIXELS] * 4)
    with tifffile.TiffWriter(path) as writer:
        for number, plane in enumerate(stack):
            writer.write(plane, metadata=None, tile=(64, 32), compression="lzw" if number == 4 else "zlib")
    with TiffImage(path) as image:
        np.testing.assert_array_equal(image.read(tuple(range(12)), image.info.region), stack)


def test_smaller_levels_of_a_set_are_decoded_by_their_own_files(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        options = {"tile": (64, 32), "compression": "zlib", "predictor": number != 1, "metadata": None}
        with tifffile.TiffWriter(tmp_path / name, byteorder=">" if number == 2 else "<") as writer:
            writer.write(PIXELS[number], subifds=1, description=ome_xml(number, NAMES), **options)
            writer.write(PIXELS[number, ::2, ::2], subfiletype=1, **options)
    with TiffImage(tmp_path / NAMES[0]) as image:
        found = image.read((0, 1, 2), Region(5, 6, 150, 135), 1)
    np.testing.assert_array_equal(found, PIXELS[:, ::2, ::2][:, 5:, 6:])


def test_planes_of_other_types_are_refused_with_the_plane(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        plane = PIXELS[number] if number != 2 else PIXELS[number].astype("uint8")
        tifffile.imwrite(tmp_path / name, plane, description=ome_xml(number, NAMES), metadata=None)
    with pytest.raises(ImageError, match=r"uint16 in the first one, uint8 in plane 3 \(of c2\.ome\.tif\)"):
        TiffImage(tmp_path / NAMES[0])


def test_a_set_whose_second_file_is_cut_unlike_itself_is_not_called_damaged_alone(tmp_path: Path) -> None:
    names = (NAMES[0], NAMES[1], NAMES[1])
    xml = ome_xml(0, names).replace('FirstC="2" IFD="0"', 'FirstC="2" IFD="1"').replace("uuid:2", "uuid:1")
    tifffile.imwrite(tmp_path / NAMES[0], PIXELS[0], description=xml, metadata=None)
    with tifffile.TiffWriter(tmp_path / NAMES[1]) as writer:
        writer.write(PIXELS[1], metadata=None, tile=(64, 32))
        writer.write(PIXELS[2], metadata=None, tile=(128, 128))
    with pytest.raises(ImageError, match="cut into tiles or strips of different sizes"):
        TiffImage(tmp_path / NAMES[0])
