"""Images that are spread over several OME-TIFFs: one of the files stands for all, the others say which one."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellscale.errors import ImageError
from cellscale.images.tiff.tiff_image import TiffImage

PIXELS = np.random.default_rng(7).integers(0, 60_000, (3, 30, 40), dtype=np.uint16)
NAMES = ("c0.ome.tif", "c1.ome.tif", "c2.ome.tif")
SCHEMA = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def plane(number, channel):
    return (
        f'<TiffData FirstC="{channel}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{NAMES[number]}">urn:uuid:{number}</UUID></TiffData>'
    )


def described(number, *images):
    """Return the OME-XML of a file of a set: each image has one channel from each of some files."""
    elements = "".join(
        f'<Image ID="Image:{i}" Name="image {i}"><Pixels ID="Pixels:{i}" DimensionOrder="XYCZT" Type="uint16" '
        f'SizeX="40" SizeY="30" SizeC="{len(files)}" SizeZ="1" SizeT="1">'
        f"{''.join(plane(file, channel) for channel, file in enumerate(files))}</Pixels></Image>"
        for i, files in enumerate(images)
    )
    return f'<?xml version="1.0"?><OME {SCHEMA} UUID="urn:uuid:{number}">{elements}</OME>'


def elsewhere(file):
    return f'<?xml version="1.0"?><OME {SCHEMA}><BinaryOnly UUID="urn:uuid:0" MetadataFile="{file}"/></OME>'


def written(folder, *texts):
    for name, pixels, text in zip(NAMES, PIXELS, texts, strict=True):
        tifffile.imwrite(folder / name, pixels, description=text.encode(), metadata=None)


def test_one_file_stands_for_all(tmp_path: Path) -> None:
    written(tmp_path, *(described(number, (0, 1, 2)) for number in range(3)))
    with TiffImage(tmp_path / NAMES[0]) as image:
        np.testing.assert_array_equal(image.read((0, 1, 2), image.info.region), PIXELS)
    for name in NAMES[1:]:
        with pytest.raises(ImageError, match=rf"{name}: one of several files .* begins in c0\.ome\.tif"):
            TiffImage(tmp_path / name)


def test_the_file_of_the_first_plane_need_not_be_the_first_by_name(tmp_path: Path) -> None:
    written(tmp_path, *(described(number, (2, 0, 1)) for number in range(3)))
    with TiffImage(tmp_path / NAMES[2]) as image:
        np.testing.assert_array_equal(image.read((0, 1, 2), image.info.region), PIXELS[[2, 0, 1]])
    with pytest.raises(ImageError, match=r"begins in c2\.ome\.tif"):
        TiffImage(tmp_path / NAMES[0])


def test_a_file_that_calls_itself_by_two_identifiers_is_one(tmp_path: Path) -> None:
    text = described(0, (0,)).replace('UUID="urn:uuid:0"', 'UUID="urn:uuid:7"')
    tifffile.imwrite(tmp_path / NAMES[0], PIXELS[0], description=text.encode(), metadata=None)
    with TiffImage(tmp_path / NAMES[0]) as image:
        np.testing.assert_array_equal(image.read((0,), image.info.region)[0], PIXELS[0])


def test_files_of_one_image_each_that_describe_all_give_their_own(tmp_path: Path) -> None:
    written(tmp_path, *(described(number, (0,), (1,), (2,)) for number in range(3)))
    for number, name in enumerate(NAMES):
        with TiffImage(tmp_path / name) as image:
            np.testing.assert_array_equal(image.read((0,), image.info.region)[0], PIXELS[number])
            assert image.info.warnings == ()


@pytest.mark.parametrize("file", ["c0.ome.tif", "a &amp; b.OME.TIFF"])
def test_pixels_that_another_tiff_describes(tmp_path: Path, file) -> None:
    written(tmp_path, described(0, (0, 1, 2)), elsewhere(file), elsewhere(file))
    with TiffImage(tmp_path / NAMES[0]) as image:
        np.testing.assert_array_equal(image.read((0, 1, 2), image.info.region), PIXELS)
    for name in NAMES[1:]:
        with pytest.raises(ImageError, match="one of several files of one image") as caught:
            TiffImage(tmp_path / name)
        assert f"which {file.replace('&amp;', '&')} describes" in str(caught.value)


def test_pixels_that_a_file_without_pixels_describes(tmp_path: Path) -> None:
    written(tmp_path, *[elsewhere("set.companion.ome")] * 3)
    with pytest.raises(ImageError, match=r"its OME-XML is in a file of its own, set\.companion\.ome"):
        TiffImage(tmp_path / NAMES[0])
