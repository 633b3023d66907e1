"""Every kind of TIFF gives back the pixels that were put in, region by region."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.regions import Region

DTYPES = ["uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64"]
COMPRESSIONS = [None, "zlib", "lzw", "zstd", "packbits", "lzma"]


def pixels_of(dtype, shape, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


@st.composite
def regions(draw, shape):
    top = draw(st.integers(0, shape[0] - 1))
    left = draw(st.integers(0, shape[1] - 1))
    return Region(top, left, draw(st.integers(top + 1, shape[0])), draw(st.integers(left + 1, shape[1])))


def check(path, pixels, region, channels=None):
    channels = tuple(range(len(pixels))) if channels is None else tuple(channels)
    with TiffImage(path) as image:
        assert image.info.shape == pixels.shape[1:]
        assert image.info.dtype == pixels.dtype.newbyteorder("=")
        assert len(image.info.channels) == len(pixels)
        found = image.read(channels, region)
    assert found.dtype == pixels.dtype.newbyteorder("=")
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, pixels[(list(channels), *region.slices)])


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_storage_does_not_change_pixels(tmp_path: Path, data) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    count = data.draw(st.integers(1, 5))
    shape = (data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90)))
    pixels = pixels_of(dtype, (count, *shape))
    compression = data.draw(st.sampled_from(COMPRESSIONS))
    tiled = data.draw(st.booleans())
    options = {
        "compression": compression,
        "predictor": data.draw(st.booleans()) if compression in {"zlib", "lzw", "zstd"} else None,
        "byteorder": data.draw(st.sampled_from("<>")),
        "bigtiff": data.draw(st.booleans()),
        "photometric": "minisblack",
        "tile": (32, 16) if tiled else None,
        "rowsperstrip": None if tiled else data.draw(st.sampled_from([None, 1, 7, 64])),
    }
    layout = data.draw(st.sampled_from(["ome", "pages", "separate", "interleaved"]))
    stored = pixels
    if layout == "ome":
        options |= {"ome": True, "metadata": {"axes": "CYX"}}
    elif layout == "pages":
        options |= {"metadata": None}
    elif count > 1:
        options |= {"planarconfig": "contig" if layout == "interleaved" else "separate", "metadata": None}
        stored = np.moveaxis(pixels, 0, 2) if layout == "interleaved" else pixels
    else:
        stored = pixels[0]
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, stored, **options)
    channels = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=4))
    check(path, pixels, data.draw(regions(shape)), channels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_imagej_hyperstack(tmp_path: Path, dtype) -> None:
    pixels = pixels_of(dtype, (3, 40, 50))
    tifffile.imwrite(tmp_path / "ij.tif", pixels, imagej=True, metadata={"axes": "CYX"})
    check(tmp_path / "ij.tif", pixels, Region(3, 4, 39, 48))


def test_jpeg_xr_is_read_where_lossless(tmp_path: Path) -> None:
    pixels = pixels_of("uint16", (2, 64, 64))
    tifffile.imwrite(
        tmp_path / "xr.tif", pixels, compression="jpegxr", compressionargs={"level": 1.0}, tile=(32, 32),
        photometric="minisblack", metadata=None,
    )  # fmt: skip
    expected = tifffile.imread(tmp_path / "xr.tif")
    check(tmp_path / "xr.tif", expected, Region(5, 6, 60, 61))


def test_jpeg_tiles_use_the_tables_of_their_page(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype("uint8")
    tifffile.imwrite(tmp_path / "j.tif", smooth, compression="jpeg", tile=(32, 32), photometric="minisblack")
    check(tmp_path / "j.tif", tifffile.imread(tmp_path / "j.tif")[None], Region(5, 6, 60, 61))


def test_every_level_of_a_pyramid(tmp_path: Path) -> None:
    pixels = pixels_of("uint16", (3, 200, 150))
    path = tmp_path / "pyramid.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        options = {"tile": (64, 64), "compression": "zlib", "photometric": "minisblack"}
        writer.write(pixels, subifds=2, metadata={"axes": "CYX"}, **options)
        writer.write(pixels[:, ::2, ::2], subfiletype=1, **options)
        writer.write(pixels[:, ::4, ::4], subfiletype=1, **options)
    with TiffImage(path) as image:
        assert image.info.levels == ((200, 150), (100, 75), (50, 38))
        assert image.info.chunk == (64, 64)
        for level in range(3):
            rows, columns = image.info.levels[level]
            found = image.read((2, 0), Region(7, 3, rows - 1, columns), level)
            np.testing.assert_array_equal(found, pixels[[2, 0], :: 2**level, :: 2**level][:, 7 : rows - 1, 3:])


def test_left_out_tiles_are_zero(tmp_path: Path) -> None:
    def tiles():
        yield np.full((16, 16), 7, np.uint16)
        yield None
        yield None
        yield np.full((16, 16), 9, np.uint16)

    path = tmp_path / "sparse.tif"
    tifffile.imwrite(path, tiles(), shape=(32, 32), dtype="uint16", tile=(16, 16), compression="zlib")
    expected = np.zeros((1, 32, 32), np.uint16)
    expected[0, :16, :16], expected[0, 16:, 16:] = 7, 9
    check(path, expected, Region(0, 0, 32, 32))


def test_ome_tiff_over_several_files(tmp_path: Path) -> None:
    pixels = pixels_of("uint16", (2, 30, 40))
    names = ("a.ome.tif", "b.ome.tif")
    planes = "".join(
        f'<TiffData FirstC="{i}" IFD="0" PlaneCount="1"><UUID FileName="{n}">urn:uuid:{i}</UUID></TiffData>'
        for i, n in enumerate(names)
    )
    for i, name in enumerate(names):
        xml = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{i}">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="40" SizeY="30" '
            f'SizeC="2" SizeZ="1" SizeT="1">{planes}</Pixels></Image></OME>'
        )
        tifffile.imwrite(tmp_path / name, pixels[i], description=xml, metadata=None, compression="zlib")
    check(tmp_path / "a.ome.tif", pixels, Region(2, 3, 29, 38))


def test_an_object_in_a_store_is_read_by_range(tmp_path: Path) -> None:
    import fsspec

    pixels = pixels_of("uint16", (3, 100, 120))
    tifffile.imwrite(
        tmp_path / "x.ome.tif", pixels, tile=(32, 32), compression="zlib", photometric="minisblack",
        ome=True, metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "b", "c"]}},
    )  # fmt: skip
    fsspec.filesystem("memory").pipe("/bucket/a b#1%20é/x.ome.tif", (tmp_path / "x.ome.tif").read_bytes())
    uri = "memory://bucket/a b#1%20é/x.ome.tif"
    check(uri, pixels, Region(3, 4, 90, 110))
    with TiffImage(uri) as image:
        assert image.info.name == "x"
        assert image.info.uri == uri
        assert image.info.channels[0].name == "DAPI"


def test_threads_read_side_by_side(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    pixels = pixels_of("uint16", (3, 256, 256))
    path = tmp_path / "t.tif"
    tifffile.imwrite(path, pixels, tile=(32, 32), compression="zlib", photometric="minisblack", metadata=None)
    rng = np.random.default_rng(3)
    corners = rng.integers(0, 128, (60, 2))
    with TiffImage(path, cache_bytes=20_000) as image, ThreadPoolExecutor(8) as pool:
        chosen = [Region(t, left, t + 100, left + 90) for t, left in corners.tolist()]
        for region, found in zip(chosen, pool.map(lambda r: image.read((0, 1, 2), r), chosen), strict=True):
            np.testing.assert_array_equal(found, pixels[(slice(None), *region.slices)])
