"""Sizes that an OME-Zarr claims are held against the chunks that are there."""

import json
import shutil

import numpy as np
import pytest
import zarr

from cellscale.errors import ImageError
from cellscale.images.masks.mask_reader import open_mask
from cellscale.images.zarr.ome_zarr import OmeZarrImage
from cellscale.regions import Region
from tests.images.zarr.test_ome_zarr import written

PIXELS = np.full((2, 90, 70), 7, np.uint16)
VERSIONS = pytest.mark.parametrize("version", ["0.4", "0.5"])


def changed(path, version, **facts):
    """Write an image and change what its array says of itself."""
    written(path, PIXELS, "cyx", version=version)
    file = path / "s0" / (".zarray" if version == "0.4" else "zarr.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))
    return path


def chunks(version, shape):
    if version == "0.4":
        return {"chunks": shape}
    return {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shape}}}


@VERSIONS
@pytest.mark.parametrize("shape", [[2, 200_000, 200_000], [1_000_000, 90, 70]])
def test_a_claim_of_a_thousand_times_what_is_stored_is_refused(tmp_path, version, shape):
    with pytest.raises(ImageError, match=r"a\.ome\.zarr: 30 of [\d,]+ chunks found for the .* values that"):
        OmeZarrImage(changed(tmp_path / "a.ome.zarr", version, shape=shape))


@VERSIONS
def test_chunks_that_are_blank_may_be_left_out(tmp_path, version):
    image = OmeZarrImage(changed(tmp_path / "a.ome.zarr", version, shape=[2, 900, 700]))
    assert image.info.warnings == ()
    assert image.read((1,), Region(88, 68, 92, 72))[0, :, 0].tolist() == [7, 7, 0, 0]


def test_of_chunks_in_shards_the_shards_are_counted(tmp_path):
    written(tmp_path / "a.ome.zarr", PIXELS, "cyx")
    group = zarr.open_group(tmp_path / "a.ome.zarr")
    del group["s0"]
    array = group.create_array("s0", shape=PIXELS.shape, chunks=(1, 2, 2), shards=(1, 90, 70), dtype=PIXELS.dtype)
    array[...] = PIXELS
    assert OmeZarrImage(tmp_path / "a.ome.zarr").info.warnings == ()


@VERSIONS
def test_an_image_without_any_chunk_is_read_as_blank_and_told(tmp_path, version):
    path = changed(tmp_path / "a.ome.zarr", version)
    for item in list((path / "s0").iterdir()):
        if not item.name.startswith(".") and item.name != "zarr.json":
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    (warning,) = OmeZarrImage(path).info.warnings
    assert warning.startswith("none of its 30 chunks is there: it is read as blank")


@VERSIONS
def test_labels_of_nothing_need_no_chunk(tmp_path, version):
    written(tmp_path / "a.zarr", np.zeros((90, 70), np.uint16), "yx", version=version)
    with open_mask(tmp_path / "a.zarr") as mask:
        assert mask.info.warnings == ()


@VERSIONS
@pytest.mark.parametrize("shape", [[1, 0, 16], [0, 32, 16]])
def test_chunks_without_a_size_are_damage(tmp_path, version, shape):
    with pytest.raises(ImageError, match="damaged"):
        OmeZarrImage(changed(tmp_path / "a.ome.zarr", version, **chunks(version, shape)))


@VERSIONS
@pytest.mark.parametrize("value", ["abc", 99_999_999, -1, [1]])
def test_blank_values_that_its_pixels_cannot_have_are_damage(tmp_path, version, value):
    with pytest.raises(ImageError, match="damaged"):
        OmeZarrImage(changed(tmp_path / "a.ome.zarr", version, fill_value=value))
