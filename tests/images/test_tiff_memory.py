"""A region costs what it touches, however the file is laid out."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellscale.images.tiff import tiff_segments
from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.regions import Region


def peak_of(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("columns", [512, 20_000])
def test_one_uncompressed_strip_is_read_in_part(tmp_path: Path, columns) -> None:
    path = tmp_path / "strip.tif"
    tifffile.memmap(path, shape=(20_000, 20_000), dtype="uint16", photometric="minisblack")[10_000, 100:103] = [
        1,
        2,
        3,
    ]
    with TiffImage(path) as image:
        region = Region(9_950, 0, 10_050, columns)
        found = None

        def read():
            nonlocal found
            found = image.read((0,), region)

        assert peak_of(read) < 4 * region.size * 2 + 2**20
        assert found[0, 50, 100:103].tolist() == [1, 2, 3]
        assert found.sum() == 6


def test_uncompressed_strips_over_a_megabyte_are_read_in_part(tmp_path: Path) -> None:
    pixels = np.arange(2 * 1500 * 1000, dtype="uint32").reshape(2, 1500, 1000)
    path = tmp_path / "strips.tif"
    with tifffile.TiffWriter(path) as writer:  # pages that do not follow each other, so that no plane is in one piece
        for page in pixels:
            writer.write(page, rowsperstrip=600, metadata=None, contiguous=False, description="x" * 100)
            writer.write(np.zeros((2, 2), np.uint8), metadata=None)
    with TiffImage(path) as image:
        region = Region(590, 10, 610, 200)
        image.read((0,), region)
        assert peak_of(lambda: image.read((0,), region)) < 200_000
        np.testing.assert_array_equal(image.read((0,), region)[0], pixels[0][region.slices])


def test_a_large_compressed_strip_is_decoded_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tiff_segments, "_SPOOL_BYTES", 10_000)
    pixels = np.random.default_rng(0).integers(0, 99, (2, 300, 200), dtype=np.uint16)
    path = tmp_path / "one.tif"
    tifffile.imwrite(path, pixels, rowsperstrip=300, compression="zlib", photometric="minisblack", metadata=None)
    decoded = []
    original = tiff_segments._decode
    monkeypatch.setattr(tiff_segments, "_decode", lambda *args: decoded.append(1) or original(*args))
    with TiffImage(path, scratch=tmp_path) as image:
        for region in (Region(3, 5, 200, 100), Region(250, 0, 300, 200)):
            np.testing.assert_array_equal(image.read((0, 1), region), pixels[(slice(None), *region.slices)])
    assert len(decoded) == 2
    assert [found.name for found in tmp_path.iterdir()] == ["one.tif"]


@pytest.mark.parametrize(("how", "copies"), [({}, 1), ({"predictor": True}, 2)])
def test_what_a_large_compressed_strip_takes_is_known_beforehand(tmp_path: Path, monkeypatch, how, copies) -> None:
    monkeypatch.setattr(tiff_segments, "_SPOOL_BYTES", 10_000)
    path, options = tmp_path / "one.tif", {"photometric": "minisblack", "metadata": None}
    pixels = np.zeros((300, 200), np.float32)
    tifffile.imwrite(path, pixels, rowsperstrip=300, compression="zlib", **how, **options)
    with TiffImage(path) as image:
        assert 0 <= image.info.decoding_bytes - copies * pixels.nbytes < 10_000
    for other in ({"rowsperstrip": 300}, {"tile": (32, 32), "compression": "zlib"}):
        tifffile.imwrite(path, pixels, **other, **options)
        with TiffImage(path) as image:
            assert image.info.decoding_bytes == 0


def test_what_neighbours_share_is_decoded_once(tmp_path: Path, monkeypatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 99, (1, 128, 128), dtype=np.uint16)
    path = tmp_path / "tiles.tif"
    tifffile.imwrite(path, pixels, tile=(32, 32), compression="zlib", metadata=None)
    decoded = []
    original = tiff_segments._decode
    monkeypatch.setattr(tiff_segments, "_decode", lambda *args: decoded.append(1) or original(*args))
    with TiffImage(path) as image:
        image.read((0,), Region(0, 0, 70, 70))
        image.read((0,), Region(60, 0, 128, 70))
    assert len(decoded) == 9 + 3


def test_the_cache_stays_below_its_size(tmp_path: Path) -> None:
    path = tmp_path / "wide.tif"
    tifffile.imwrite(path, np.zeros((4096, 4096), np.uint16), tile=(256, 256), compression="zlib", metadata=None)
    with TiffImage(path, cache_bytes=2**20) as image:

        def sweep():
            for top in range(0, 4096, 512):
                image.read((0,), Region(top, 0, top + 512, 512))

        assert peak_of(sweep) < 4 * 2**20
