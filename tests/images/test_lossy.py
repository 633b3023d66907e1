"""Compression that changes numbers is told from the compressed bytes."""

import imagecodecs
import numpy as np
import pytest
import tifffile

from cellscale.errors import MaskError
from cellscale.images.lossy import change_of
from cellscale.images.masks.mask_reader import open_mask

LABELS = (np.arange(64 * 64) % 251).astype(np.uint8).reshape(64, 64)
WIDE = LABELS.astype(np.uint16) * 200

ENCODED = {
    "lerc": (34887, lambda: imagecodecs.lerc_encode(WIDE), "none"),
    "lerc of version 3": (34887, lambda: imagecodecs.lerc_encode(WIDE, version=3), "none"),
    "lerc, error 2": (34887, lambda: imagecodecs.lerc_encode(WIDE, level=2.0), "certain"),
    "lerc of version 2, error 2": (34887, lambda: imagecodecs.lerc_encode(WIDE, level=2.0, version=2), "certain"),
    "jpeg 2000": (34712, lambda: imagecodecs.jpeg2k_encode(WIDE), "none"),
    "jpeg 2000, bare": (33003, lambda: imagecodecs.jpeg2k_encode(WIDE, codecformat="j2k"), "none"),
    "jpeg 2000, lossy": (33005, lambda: imagecodecs.jpeg2k_encode(WIDE, level=60), "certain"),
    "jpeg xl": (50002, lambda: imagecodecs.jpegxl_encode(WIDE, lossless=True), "none"),
    "jpeg xl, not square": (
        52546, lambda: imagecodecs.jpegxl_encode(np.resize(LABELS, (100, 777)), lossless=True), "none",
    ),
    "jpeg xl, lossy": (50002, lambda: imagecodecs.jpegxl_encode(LABELS, lossless=False, level=80), "certain"),
    "webp": (50001, lambda: imagecodecs.webp_encode(np.dstack([LABELS] * 3), lossless=True), "none"),
    "webp, lossy": (
        50001, lambda: imagecodecs.webp_encode(np.dstack([LABELS] * 3), level=80, lossless=False), "certain",
    ),
    "jpeg": (7, lambda: imagecodecs.jpeg8_encode(LABELS), "certain"),
    "jpeg, lossless": (7, lambda: imagecodecs.ljpeg_encode(WIDE), "none"),
    "jpeg-ls": (34892, lambda: imagecodecs.jpegls_encode(WIDE), "none"),
    "jpeg xr": (34934, lambda: imagecodecs.jpegxr_encode(WIDE), "possible"),
    "deflate": (8, lambda: imagecodecs.deflate_encode(WIDE.tobytes()), "none"),
    "nonsense as jpeg": (7, lambda: b"nonsense", "certain"),
    "nonsense as lerc": (34887, lambda: b"Lerc2 ", "possible"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODED)
def test_what_changed_numbers_is_told(name):
    compression, encode, expected = ENCODED[name]
    try:
        data = bytes(encode())
    except (ImportError, NotImplementedError) as error:
        pytest.skip(f"this imagecodecs has no such codec: {error}")
    assert change_of(compression, data) == expected


@pytest.mark.parametrize(
    ("compression", "settings", "lossless"),
    [
        ("jpeg2000", {}, True), ("jpeg2000", {"level": 40, "reversible": False}, False), ("lerc", {}, True),
        ("lerc", {"level": 3.0}, False), ("jpegxl", {}, True), ("jpegxl", {"level": 70, "lossless": False}, False),
    ],
)  # fmt: skip
def test_masks_are_refused_where_numbers_changed_and_only_there(tmp_path, compression, settings, lossless):
    path = tmp_path / "m.tiff"
    tifffile.imwrite(path, LABELS, compression=compression, compressionargs=settings, tile=(32, 32))
    assert (tifffile.imread(path) == LABELS).all() == lossless
    if not lossless:
        with pytest.raises(MaskError, match=rf"m\.tiff: compressed as {compression.upper()}, which changed numbers"):
            open_mask(path)
        return
    with open_mask(path) as mask:
        assert mask.warnings == ()
        np.testing.assert_array_equal(mask.read(mask.info.region), LABELS)


def test_a_mask_that_may_have_changed_is_read_with_a_warning(tmp_path):
    tifffile.imwrite(tmp_path / "m.tiff", LABELS, compression="jpegxr", tile=(64, 64))
    with open_mask(tmp_path / "m.tiff") as mask:
        (warning,) = mask.warnings
        assert "m.tiff is compressed as JPEGXR, which may have changed numbers" in warning


@pytest.mark.parametrize("tile", [None, (32, 32)])
def test_a_mask_may_leave_out_that_it_is_not_compressed(tmp_path, tile):
    path, labels = tmp_path / "mask.tiff", np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    tifffile.imwrite(path, labels, tile=tile, metadata=None)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages.first.tags["Compression"].offset
    content[place : place + 2] = (60_000).to_bytes(2, "little")  # a tag of somebody's own
    path.write_bytes(content)
    with open_mask(path) as mask:
        np.testing.assert_array_equal(mask.read(mask.info.region), labels)
