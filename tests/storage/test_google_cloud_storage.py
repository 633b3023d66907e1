"""Images, masks and markers in Google Cloud Storage, against a local server of its interface."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellscale.errors import RunInProgressError, StorageError
from cellscale.images.masks.mask_reader import open_mask
from cellscale.images.masks.mask_writer import write_mask
from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.images.zarr.label_zarr import write_label_zarr
from cellscale.regions import Region
from cellscale.storage.atomic import write_bytes
from cellscale.storage.locks import run_lock
from cellscale.storage.ranges import open_ranges
from cellscale.storage.uri import delete, exists, filesystem, join, listing, read_bytes
from tests.storage.servers import BUCKET


@pytest.fixture(scope="module")
def bucket(gcs_proxy):
    return f"gs://{BUCKET}"


@pytest.mark.parametrize("odd", ["a b", "..x", "#1", "x#12", "50%", "%20", "é 中", "a?b", "x&y=z", "x?generation=1"])
def test_any_name_there_and_back(bucket, odd) -> None:
    location = join(bucket, "names", odd, odd)
    assert not exists(location)
    write_bytes(location, b"content")
    assert exists(location)
    (entry,) = listing(join(bucket, "names", odd))
    assert (entry.name, entry.size, entry.is_folder) == (odd, 7, False)
    assert read_bytes(entry.location) == b"content"
    assert open_ranges(location).read([(5, 2), (0, 3)]) == [b"nt", b"con"]
    write_bytes(location, b"changed")
    assert listing(join(bucket, "names", odd))[0].marker != entry.marker
    delete(location)
    delete(location)
    assert not exists(location)


def test_images_are_read_by_range(bucket, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 999, (3, 300, 200), dtype=np.uint16)
    options = {"photometric": "minisblack", "ome": True, "metadata": {"axes": "CYX"}}
    tifffile.imwrite(tmp_path / "x.ome.tif", pixels, tile=(64, 64), compression="zlib", **options)
    write_bytes(join(bucket, "OMETIFF", "x 1.ome.tif"), (tmp_path / "x.ome.tif").read_bytes())
    with TiffImage(join(bucket, "OMETIFF", "x 1.ome.tif")) as image:
        region = Region(10, 20, 290, 170)
        np.testing.assert_array_equal(image.read((0, 2), region), pixels[[0, 2]][(slice(None), *region.slices)])


def test_masks_of_both_formats(bucket) -> None:
    labels = np.random.default_rng(0).integers(0, 99, (700, 600)).astype(np.int32)
    write_mask(join(bucket, "m.tiff"), [labels], labels.shape)
    for _ in range(2):
        write_label_zarr(join(bucket, "m.ome.zarr"), [labels], labels.shape)
    for name in ("m.tiff", "m.ome.zarr"):
        with open_mask(join(bucket, name)) as mask:
            np.testing.assert_array_equal(mask.read(mask.info.region), labels)


def test_what_is_not_there(bucket) -> None:
    for location in (join(bucket, "none.tif"), "gs://nobody/x.tif"):
        with pytest.raises(StorageError, match="does not exist"):
            TiffImage(location)
    with pytest.raises(StorageError, match="does not exist"):
        listing(join(bucket, "nowhere"))


def test_the_second_run_stops(bucket) -> None:
    with run_lock(join(bucket, "lock")), pytest.raises(RunInProgressError, match="held by"):
        run_lock(join(bucket, "lock")).__enter__()
    assert not exists(join(bucket, "lock"))


def test_a_connection_that_went_silent_is_not_waited_for_for_ever(bucket) -> None:
    timeout = filesystem(join(bucket, "name"))[0].requests_timeout
    assert 0 < timeout.sock_connect <= 60
    assert 0 < timeout.sock_read <= 300
    assert timeout.total is None  # large objects take their time
