"""NPZ files: read by region, and never trusted."""

import io
import tracemalloc
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from cellscale.errors import ImageError, StorageError
from cellscale.images.npz import open_npz
from cellscale.regions import Region


def pixels_of(dtype, shape=(60, 50, 2)):
    return np.random.default_rng(0).integers(0, 255, shape).astype(dtype)


def refused(path, *words):
    with pytest.raises(ImageError) as caught:
        open_npz(path)
    for word in (Path(path).name, *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["uint8", ">u2", "int32", "float32", ">f8", "float16"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_regions_of_any_array(tmp_path: Path, save, dtype, order) -> None:
    pixels = np.asarray(pixels_of(dtype), order=order)
    save(tmp_path / "x.npz", input_channels=pixels, other=np.zeros(3))
    image = open_npz(tmp_path / "x.npz", expect_shape=(60, 50))
    assert [channel.name for channel in image.info.channels] == ["nuclear", "membrane"]
    assert image.info.dtype == pixels.dtype.newbyteorder("=")
    for region in (Region(0, 0, 60, 50), Region(7, 11, 50, 20), Region(59, 0, 60, 1)):
        for channels in ((0,), (1,), (0, 1), (1, 0)):
            found = image.read(channels, region)
            assert found.dtype == image.info.dtype
            np.testing.assert_array_equal(found, np.moveaxis(pixels, 2, 0)[(list(channels), *region.slices)])
    image.close()


def test_the_only_array_may_have_any_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", pixels_of("uint8"))
    with closing(open_npz(tmp_path / "x.npz")) as image:
        assert image.info.shape == (60, 50)


def test_a_batch_of_one_image(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", input_channels=pixels_of("uint8")[None])
    with closing(open_npz(tmp_path / "x.npz")) as image:
        assert image.info.shape == (60, 50)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_memory_does_not_grow_with_the_array(tmp_path: Path, save) -> None:
    save(tmp_path / "x.npz", input_channels=np.zeros((4000, 2000, 2), np.float32))
    tracemalloc.start()
    image = open_npz(tmp_path / "x.npz", scratch=tmp_path)
    image.read((0, 1), Region(1000, 0, 1100, 2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 2**20  # the array has 64 MB
    image.close()
    assert [found.name for found in tmp_path.iterdir()] == ["x.npz"]


@pytest.mark.parametrize("shape", [(60, 50, 3), (60, 50, 1), (60, 50), (2, 60, 50, 2), (0, 50, 2)])
def test_other_shapes(tmp_path: Path, shape) -> None:
    np.savez(tmp_path / "x.npz", input_channels=np.zeros(shape))
    refused(tmp_path / "x.npz", str(shape), "rows x columns x 2")


@pytest.mark.parametrize("dtype", ["complex64", "bool", "U3", "datetime64[s]", [("a", "u1")]])
def test_other_types(tmp_path: Path, dtype) -> None:
    np.savez(tmp_path / "x.npz", input_channels=np.zeros((6, 5, 2), dtype))
    refused(tmp_path / "x.npz", "integers or floats expected")


def test_pickled_objects_are_not_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    np.savez(tmp_path / "x.npz", input_channels=np.array([[[Bomb(), Bomb()]]], object))
    refused(tmp_path / "x.npz", "pickled Python objects", "refused")
    assert not (tmp_path / "executed").exists()


def test_several_arrays_of_other_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3), b=np.zeros(3))
    refused(tmp_path / "x.npz", "a.npy, b.npy", "input_channels")


def test_another_size_than_the_image(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", input_channels=pixels_of("uint8"))
    with pytest.raises(ImageError, match=r"60 x 50 .* 61 x 50"):
        open_npz(tmp_path / "x.npz", expect_shape=(61, 50))


def npy_header(shape, dtype="<f4"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def zipped(path, content, compression=zipfile.ZIP_DEFLATED, name="input_channels.npy"):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(name, content)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_header_that_promises_more_than_there_is(tmp_path: Path, compression) -> None:
    zipped(tmp_path / "x.npz", npy_header((10**6, 10**6, 2)) + bytes(1000), compression)
    refused(tmp_path / "x.npz", "1000000 x 1000000", "zip bomb")


def test_a_directory_that_promises_more_than_deflate_can(tmp_path: Path) -> None:
    height = 10**5
    content = npy_header((height, height, 2))
    zipped(tmp_path / "x.npz", content + bytes(1000))
    raw = bytearray((tmp_path / "x.npz").read_bytes())
    size = min(len(content) + height * height * 8, 2**32 - 2)
    directory = raw.rindex(b"PK\x01\x02")
    raw[directory + 24 : directory + 28] = size.to_bytes(4, "little")
    (tmp_path / "x.npz").write_bytes(raw)
    refused(tmp_path / "x.npz", f"{size:,}", "zip bomb")


def test_other_compressions(tmp_path: Path) -> None:
    zipped(tmp_path / "x.npz", npy_header((2, 2, 2)) + bytes(32), zipfile.ZIP_LZMA)
    refused(tmp_path / "x.npz", "compression")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 100])
def test_other_files(tmp_path: Path, content) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    refused(tmp_path / "x.npz", "not an NPZ file")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_anywhere_never_shows_a_traceback(tmp_path: Path, save) -> None:
    pixels = pixels_of("uint16")
    save(tmp_path / "good.npz", input_channels=pixels)
    content = (tmp_path / "good.npz").read_bytes()
    rng = np.random.default_rng(1)
    for position in [
        *range(0, 200, 3),
        *rng.integers(0, len(content), 60),
        *range(len(content) - 100, len(content), 2),
    ]:
        hurt = bytearray(content)
        hurt[position] ^= int(rng.integers(1, 256))
        (tmp_path / "x.npz").write_bytes(hurt)
        try:
            open_npz(tmp_path / "x.npz").close()
        except ImageError:
            continue
    for size in range(0, len(content), 997):
        (tmp_path / "x.npz").write_bytes(content[:size])
        refused(tmp_path / "x.npz")


def test_no_room_for_unpacking(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", input_channels=pixels_of("uint16"))
    with pytest.raises(StorageError, match="scratch file"):
        open_npz(tmp_path / "x.npz", scratch=tmp_path / "missing")


def test_an_npz_in_a_store() -> None:
    import fsspec

    stream = io.BytesIO()
    np.savez(stream, input_channels=pixels_of("uint16"))
    fsspec.filesystem("memory").pipe("/npz/a b.npz", stream.getvalue())
    image = open_npz("memory://npz/a b.npz")
    assert image.info.name == "a b"
    np.testing.assert_array_equal(image.read((1,), Region(3, 4, 50, 40))[0], pixels_of("uint16")[3:50, 4:40, 1])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_pixels_that_are_not_those_of_the_checksum(tmp_path: Path, save) -> None:
    save(tmp_path / "x.npz", input_channels=pixels_of("uint16"))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "x.npz").write_bytes(content)
    refused(tmp_path / "x.npz", "damaged")
