"""What tags say of colours: fluorescence that is called RGB, and numbers that fall with brightness."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellscale.errors import ImageError
from cellscale.images.masks import open_mask
from cellscale.images.open import open_image
from cellscale.regions import Region

PLANES = np.random.default_rng(0).integers(0, 2**16, (5, 60, 70)).astype(np.uint16)


def pixels_of(path: Path):
    image = open_image(path)
    try:
        return image.read(tuple(range(len(image.info.channels))), image.info.region), image.info
    finally:
        image.close()


@pytest.mark.parametrize(
    ("count", "dtype", "planar"),
    [(3, "u2", True), (3, "u1", True), (4, "f4", True), (3, "u2", False), (4, "u2", False), (5, "u1", False)],
)
@pytest.mark.parametrize("options", [{}, {"tile": (32, 32), "compression": "zlib"}])
def test_fluorescence_called_rgb_is_read_as_channels(tmp_path: Path, count, dtype, planar, options) -> None:
    planes = PLANES[:count].astype(dtype)
    stored = planes if planar else np.moveaxis(planes, 0, -1)
    extra = (0,) * (count - 3)
    config = "separate" if planar else "contig"
    tifffile.imwrite(
        tmp_path / "x.tif", stored, photometric="rgb", planarconfig=config, extrasamples=extra, **options
    )
    found, info = pixels_of(tmp_path / "x.tif")
    np.testing.assert_array_equal(found, planes)
    assert any("its tags call it an RGB picture" in warning for warning in info.warnings)


@pytest.mark.filterwarnings("ignore:.*photometric.*:DeprecationWarning")
def test_what_libraries_call_rgb_unasked_is_read_as_channels(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", PLANES[:3], photometric="rgb")
    assert len(pixels_of(tmp_path / "x.tif")[0]) == 3


@pytest.mark.parametrize("samples", [3, 4])
def test_photographs_are_refused_as_ever(tmp_path: Path, samples) -> None:
    picture = np.zeros((40, 50, samples), np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", picture, photometric="rgb", extrasamples=(2,) * (samples - 3))
    with pytest.raises(ImageError, match="colour image"):
        open_image(tmp_path / "x.tif")


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4"])
@pytest.mark.parametrize(
    "options", [{}, {"rowsperstrip": 7}, {"tile": (32, 32), "compression": "zlib"}, {"compression": "lzw"}]
)
@pytest.mark.parametrize("kind", ["ome", "plain"])
def test_white_is_zero_is_inverted_and_said(tmp_path: Path, dtype, options, kind) -> None:
    planes = PLANES[:2].astype(dtype)
    path = tmp_path / ("x.ome.tif" if kind == "ome" else "x.tif")
    metadata = {"axes": "CYX"} if kind == "ome" else None
    tifffile.imwrite(path, planes, photometric="miniswhite", metadata=metadata, **options)
    found, info = pixels_of(path)
    np.testing.assert_array_equal(found, np.iinfo(dtype).max - planes)
    assert found.dtype == np.dtype(dtype)
    (warning,) = [text for text in info.warnings if "WhiteIsZero" in text]
    assert "inverted" in warning
    image = open_image(path)
    np.testing.assert_array_equal(image.read((1,), Region(3, 5, 50, 61))[0], found[1, 3:50, 5:61])
    image.close()


@pytest.mark.parametrize("dtype", ["f4", "i2"])
def test_numbers_without_a_white_are_taken_as_they_are(tmp_path: Path, dtype) -> None:
    planes = PLANES[:2].astype(dtype)
    tifffile.imwrite(tmp_path / "x.tif", planes, photometric="miniswhite", metadata=None)
    found, info = pixels_of(tmp_path / "x.tif")
    np.testing.assert_array_equal(found, planes)
    assert not any("WhiteIsZero" in warning for warning in info.warnings)


def test_packed_numbers_are_inverted_within_their_bits(tmp_path: Path) -> None:
    plane = PLANES[0] % 4096
    packed = np.zeros((60, 70 * 12 // 8), np.uint8)
    pairs = plane.reshape(60, -1, 2).astype(np.uint32)
    packed[:, 0::3] = pairs[..., 0] >> 4
    packed[:, 1::3] = ((pairs[..., 0] & 15) << 4) | (pairs[..., 1] >> 8)
    packed[:, 2::3] = pairs[..., 1] & 255
    tifffile.imwrite(
        tmp_path / "x.tif", iter([packed.tobytes()]), shape=(60, 70), dtype="uint16", bitspersample=12,
        photometric="miniswhite", rowsperstrip=60, metadata=None, byteorder=">", compression=1,
    )  # fmt: skip
    found, _ = pixels_of(tmp_path / "x.tif")
    np.testing.assert_array_equal(found[0], 4095 - plane)


def test_labels_are_never_inverted(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "m.tif", PLANES[0] % 100, photometric="miniswhite")
    with open_mask(tmp_path / "m.tif") as mask:
        np.testing.assert_array_equal(mask.read(mask.info.region), PLANES[0] % 100)


def test_numbers_are_not_inverted_where_no_tag_says_that_zero_is_white(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, PLANES[0], photometric="miniswhite", metadata=None)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        content[(offset := tiff.pages.first.tags[262].offset) : offset + 2] = (261).to_bytes(2, "little")
    path.write_bytes(content)
    found, info = pixels_of(path)
    np.testing.assert_array_equal(found[0], PLANES[0])
    assert info.warnings == ()
