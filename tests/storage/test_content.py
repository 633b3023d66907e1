"""Content decides: the same bytes have the same hash wherever they lie, and a sample sees header, end and blocks."""

import os
import shutil
from uuid import uuid4

import fsspec
import numpy as np
import pytest

from cellscale.errors import StorageError
from cellscale.storage.content import content_of, seen

LARGE = 6 * 2**20


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("content") / "large"
    path.write_bytes(np.random.default_rng(0).integers(0, 256, LARGE, np.uint8).tobytes())
    return path


def changed(path, copy, place):
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))
    return copy


@pytest.mark.parametrize("place", [0, 100_000, LARGE - 1, LARGE // 2 // 16384 * 16384])
def test_a_whole_hash_sees_every_byte(large, tmp_path, place):
    copy = changed(large, tmp_path / "copy", place)
    assert content_of(copy) != content_of(large)


@pytest.mark.parametrize("place", [0, 100_000, LARGE - 1, LARGE - 100_000])
def test_a_sample_sees_the_header_and_the_end(large, tmp_path, place):
    copy = changed(large, tmp_path / "copy", place)
    assert content_of(copy, "sample") != content_of(large, "sample")


def test_a_sample_sees_pixels_that_are_all_others(large, tmp_path):
    copy = tmp_path / "copy"
    data = bytearray(large.read_bytes())
    data[LARGE // 4 : LARGE // 2] = bytes(LARGE // 4)
    copy.write_bytes(data)
    assert content_of(copy, "sample") != content_of(large, "sample")


@pytest.mark.parametrize("kind", ["whole", "sample"])
def test_an_object_of_a_store_has_the_hash_of_the_same_file(large, kind):
    uri = f"memory://{uuid4().hex}/large"
    with fsspec.open(uri, "wb") as file:
        file.write(large.read_bytes())
    assert content_of(uri, kind) == content_of(large, kind)


def test_a_small_file_is_sampled_whole(tmp_path):
    path = tmp_path / "small"
    path.write_bytes(b"x" * 1000)
    assert content_of(path, "sample") == content_of(path)


@pytest.mark.parametrize("kind", ["whole", "sample"])
def test_a_folder_is_known_by_its_files(tmp_path, kind):
    folder = tmp_path / "image.zarr"
    for number in range(5):
        (folder / "0" / str(number)).mkdir(parents=True)
        (folder / "0" / str(number) / "0").write_text(f"chunk {number}")
    (folder / "zarr.json").write_text("{}")
    before = content_of(folder, kind)
    shutil.copytree(folder, tmp_path / "other")
    assert content_of(tmp_path / "other", kind) == before
    (folder / "zarr.json").write_text('{"a": 1}')
    assert content_of(folder, kind) != before
    (folder / "zarr.json").write_text("{}")
    (folder / "0" / "2" / "0").write_text("another")
    assert content_of(folder, kind) != before


def test_a_change_inside_a_folder_is_seen_though_the_folder_has_its_time(tmp_path):
    folder = tmp_path / "mask.zarr"
    (folder / "0").mkdir(parents=True)
    (folder / "0" / "chunk").write_text("one")
    before = seen(folder, None)
    (folder / "0" / "chunk").write_text("two")
    os.utime(folder / "0" / "chunk", (1, 1))
    assert seen(folder, before).hash != before.hash


def test_the_same_stamp_is_not_read_and_another_one_is(tmp_path):
    path = tmp_path / "file"
    path.write_text("one")
    before = seen(path, None)
    assert seen(path, before) is before
    path.write_text("two")
    assert seen(path, before).hash != before.hash
    assert seen(tmp_path / "nothing", None) is None


def test_nothing_has_no_content(tmp_path):
    with pytest.raises(StorageError, match="does not exist"):
        content_of(tmp_path / "nothing")
