"""Masks are written for ImageJ and QuPath, streamed, and read from any tool."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cellscale.errors import MaskError, StorageError
from cellscale.images.info import PixelSize
from cellscale.images.masks.mask_reader import open_mask
from cellscale.images.masks.mask_writer import write_mask
from cellscale.images.masks.strip_tiff import StripTiff
from cellscale.images.zarr.label_zarr import write_label_zarr
from cellscale.regions import Region

LABELS = np.random.default_rng(0).integers(0, 2**31 - 1, (300, 200)).astype(np.int32)


@pytest.mark.slow
@given(
    height=st.integers(1, 80), width=st.integers(1, 80), cuts=st.lists(st.integers(0, 80), max_size=6),
    workers=st.integers(1, 3),
)  # fmt: skip
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bands_and_workers_do_not_change_the_bytes(tmp_path: Path, height, width, cuts, workers) -> None:
    labels = LABELS[:height, :width]
    write_mask(tmp_path / "whole.tiff", [labels], labels.shape)
    bands = np.split(labels, sorted(min(cut, height) for cut in cuts))
    write_mask(tmp_path / "bands.tiff", bands, labels.shape, workers=workers)
    write_mask(tmp_path / "reader.tiff", lambda region: labels[region.slices][None], labels.shape)
    content = (tmp_path / "whole.tiff").read_bytes()
    assert (tmp_path / "bands.tiff").read_bytes() == content
    assert (tmp_path / "reader.tiff").read_bytes() == content
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "whole.tiff"), labels)


def test_labels_in_jpeg_are_refused(tmp_path: Path) -> None:
    labels = np.repeat(np.arange(64, dtype=np.uint8), 64).reshape(64, 64)
    tifffile.imwrite(tmp_path / "m.tiff", labels, compression="jpeg", tile=(32, 32), photometric="minisblack")
    with pytest.raises(MaskError, match=r"m\.tiff: compressed as JPEG"):
        open_mask(tmp_path / "m.tiff")


def test_what_imagej_and_qupath_need(tmp_path: Path) -> None:
    labels = np.zeros((3000, 1000), np.int32)
    labels[2999, 999] = 70_000
    write_mask(tmp_path / "m.tiff", [labels], labels.shape, PixelSize(0.377, 0.5))
    with tifffile.TiffFile(tmp_path / "m.tiff") as tiff:
        page = tiff.pages.first
        assert not tiff.is_bigtiff
        assert not page.is_tiled
        assert (page.compression, page.predictor, page.photometric, page.dtype) == (8, 1, 1, np.int32)
        assert len(page.dataoffsets) == 12
        assert tiff.imagej_metadata["unit"] == "micron"
        assert page.tags["XResolution"].value == (1000, 377)
        assert page.tags["YResolution"].value == (2, 1)
        np.testing.assert_array_equal(tiff.asarray(), labels)
    with open_mask(tmp_path / "m.tiff") as mask:
        assert mask.info.pixel_size == PixelSize(0.377, 0.5)


@pytest.mark.slow
@given(mpp=st.floats(1e-6, 1e6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_pixel_size_comes_back(tmp_path: Path, mpp) -> None:
    write_mask(tmp_path / "m.tiff", [LABELS[:1, :1]], (1, 1), PixelSize(mpp, 0.5))
    with open_mask(tmp_path / "m.tiff") as mask:
        assert mask.info.pixel_size.x == pytest.approx(mpp, rel=1e-3)
        assert mask.info.pixel_size.y == 0.5


def test_a_bigtiff_where_a_classic_one_does_not_fit(tmp_path: Path) -> None:
    strips = [b"x\x9cstrip", b"another"]
    for limit, big in ((10**6, False), (100, True)):
        with (tmp_path / "t.tiff").open("wb") as file:
            tiff = StripTiff(file, (5, 4), 3, PixelSize(0.5, 0.5))
            for strip in strips:
                tiff.add(strip)
            tiff.finish(classic_limit=limit)
        with tifffile.TiffFile(tmp_path / "t.tiff") as found:
            page = found.pages.first
            assert found.is_bigtiff == big
            assert page.shape == (5, 4)
            assert page.rowsperstrip == 3
            assert page.tags["XResolution"].value == (2, 1)
            assert found.imagej_metadata["unit"] == "micron"
            ends = zip(page.dataoffsets, page.databytecounts, strict=True)
            content = (tmp_path / "t.tiff").read_bytes()
            assert [content[offset : offset + size] for offset, size in ends] == strips


def test_a_large_mask_is_written_in_little_memory(tmp_path: Path) -> None:
    bands = (np.zeros((64, 8000), np.int32) for _ in range(125))
    tracemalloc.start()
    write_mask(tmp_path / "m.tiff", bands, (8000, 8000), workers=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20  # the labels have 256 MB


@pytest.mark.parametrize("bands", [[LABELS[:10]], [LABELS, LABELS[:1]], [LABELS[:, :-1]], []])
def test_bands_that_do_not_add_up(tmp_path: Path, bands) -> None:
    for write in (write_mask, write_label_zarr):
        with pytest.raises((ValueError, IndexError)):
            write(tmp_path / "m", bands, LABELS.shape)
    assert not list(tmp_path.iterdir())


def test_labels_beyond_31_bits_are_not_cut(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="31 bits"):
        write_mask(tmp_path / "m.tiff", [np.full((2, 2), 2**31, np.int64)], (2, 2))
    write_mask(tmp_path / "m.tiff", [np.full((2, 2), 2**31 - 1, np.uint32)], (2, 2))
    assert tifffile.imread(tmp_path / "m.tiff").max() == 2**31 - 1


def test_nowhere_to_write(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="missing"):
        write_mask(tmp_path / "missing" / "m.tiff", [LABELS], LABELS.shape)


@pytest.mark.parametrize(
    "dtype",
    ["uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64", "int64", "uint64", ">u2", ">f4"],
)
@pytest.mark.parametrize(
    "options", [{}, {"tile": (32, 32), "compression": "zlib"}, {"rowsperstrip": 7, "bigtiff": True}]
)
def test_labels_of_any_tool(tmp_path: Path, dtype, options) -> None:
    labels = (LABELS % 120).astype(dtype)
    order = ">" if dtype[0] == ">" else "<"
    tifffile.imwrite(tmp_path / "m.tif", labels, byteorder=order, **options)
    with open_mask(tmp_path / "m.tif", expect_shape=labels.shape) as mask:
        region = Region(5, 6, 290, 180)
        found = mask.read(region)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, LABELS[region.slices] % 120)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits", "group3", "group4"])
def test_masks_of_one_bit_are_labels_0_and_1(tmp_path: Path, compression) -> None:
    if str(compression).startswith("group") and 4 not in tifffile.TIFF.DECOMPRESSORS:
        pytest.skip("this tifffile reads no CCITT")
    cell = LABELS % 3 == 0
    Image.fromarray(cell).save(tmp_path / "m.tif", **({} if compression is None else {"compression": compression}))
    with open_mask(tmp_path / "m.tif") as mask:
        np.testing.assert_array_equal(mask.read(mask.info.region), cell.astype(np.int32))


@pytest.mark.parametrize(
    ("pixels", "options", "words"),
    [
        (np.zeros((20, 30, 3), np.uint8), {"photometric": "rgb"}, ["not a label mask", "RGB"]),
        (np.zeros((2, 20, 30), np.uint16), {"photometric": "minisblack"}, ["2 channels found"]),
        (np.zeros((20, 31), np.uint16), {}, ["20 x 31", "20 x 30"]),
        (np.zeros((20, 30), np.complex64), {}, ["not a label mask", "complex64"]),
    ],
)
def test_what_is_no_mask_of_the_image(tmp_path: Path, pixels, options, words) -> None:
    tifffile.imwrite(tmp_path / "m.tif", pixels, metadata=None, **options)
    with pytest.raises(MaskError) as caught:
        open_mask(tmp_path / "m.tif", expect_shape=(20, 30))
    for word in ("m.tif", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("value", "dtype", "word"),
    [(-1, "int32", "label -1"), (-3, "float32", "label -3"), (0.5, "float32", "0.5"), (np.nan, "float32", "nan"),
     (np.inf, "float64", "inf"), (2**31, "uint32", "2147483648"), (-(2**40), "int64", "label -1099511627776")],
)  # fmt: skip
def test_values_that_are_no_labels(tmp_path: Path, value, dtype, word) -> None:
    labels = np.zeros((20, 30), dtype)
    labels[10, 10] = value
    tifffile.imwrite(tmp_path / "m.tif", labels)
    with open_mask(tmp_path / "m.tif") as mask:
        assert not mask.read(Region(0, 0, 10, 10)).any()
        with pytest.raises(MaskError, match=word):
            mask.read(mask.info.region)


@pytest.mark.parametrize("shape", [(1, 1), (700, 3), (1300, 1100)])
def test_a_zarr_mask_and_its_pyramid(tmp_path: Path, shape) -> None:
    labels = np.resize(LABELS, shape)
    for _ in range(2):  # the second replaces the first
        write_label_zarr(tmp_path / "m.ome.zarr", np.split(labels, [shape[0] // 3]), shape, PixelSize(0.3, 0.4))
    assert [found.name for found in tmp_path.iterdir()] == ["m.ome.zarr"]
    with open_mask(tmp_path / "m.ome.zarr", expect_shape=shape) as mask:
        assert mask.info.pixel_size == PixelSize(0.3, 0.4)
        assert max(mask.info.levels[-1]) <= 512
        np.testing.assert_array_equal(mask.read(mask.info.region), labels)
    facts = zarr.open_group(tmp_path / "m.ome.zarr", mode="r")
    assert facts.attrs["ome"]["version"] == "0.5"
    for level in range(len(mask.info.levels)):
        np.testing.assert_array_equal(facts[str(level)][:], labels[:: 2**level, :: 2**level])


def test_a_zarr_mask_has_few_files(tmp_path: Path) -> None:
    write_label_zarr(tmp_path / "m.zarr", (np.ones((500, 4000), np.int32) for _ in range(8)), (4000, 4000))
    assert sum(path.is_file() for path in tmp_path.rglob("*")) < 30


def test_a_zarr_mask_that_fails_leaves_nothing(tmp_path: Path) -> None:
    write_label_zarr(tmp_path / "m.zarr", [LABELS], LABELS.shape)

    def bands():
        yield LABELS[:10]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_label_zarr(tmp_path / "m.zarr", bands(), LABELS.shape)
    assert [found.name for found in tmp_path.iterdir()] == ["m.zarr"]
    with open_mask(tmp_path / "m.zarr") as mask:
        np.testing.assert_array_equal(mask.read(mask.info.region), LABELS)


def test_masks_that_qupath_read(shared: Path) -> None:
    for name in ("tiny", "tiny_nopx", "tiny_wholecell"):
        for path in (shared / "qupath/golden" / name / "SEGMASK").iterdir():
            with open_mask(path) as mask:
                np.testing.assert_array_equal(mask.read(mask.info.region), tifffile.imread(path))
