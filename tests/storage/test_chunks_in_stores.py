"""What an OME-Zarr in a bucket claims is held against the chunks that are there, with a few listings."""

import re

import numpy as np
import pytest

from cellscale.errors import ImageError
from cellscale.images.zarr.ome_zarr import OmeZarrImage
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import delete, find, join
from tests.images.zarr.test_ome_zarr import written
from tests.images.zarr.test_zarr_claims import PIXELS, VERSIONS, changed


def put(folder, place):
    """Put a folder into a bucket."""
    for file in folder.rglob("*"):
        if file.is_file():
            write_bytes(join(place, *file.relative_to(folder).parts), file.read_bytes())
    return place


@VERSIONS
def test_a_claim_of_a_thousand_times_what_is_stored_is_refused(tmp_path, store, version):
    _, bucket = store
    image = put(
        changed(tmp_path / "a.ome.zarr", version, shape=[2, 200_000, 200_000]), f"{bucket}/{version}.ome.zarr"
    )
    with pytest.raises(ImageError, match=rf"{version}\.ome\.zarr: 30 of [\d,]+ chunks found"):
        OmeZarrImage(image)


@VERSIONS
def test_what_is_there_is_found_with_a_few_listings(tmp_path, store, version):
    proxy, bucket = store
    written(tmp_path / "a.ome.zarr", PIXELS, "cyx", version=version)
    image = put(tmp_path / "a.ome.zarr", f"{bucket}/whole{version}.ome.zarr")
    asked = []
    proxy.fail = lambda method, path, body: asked.append(path)
    opened = OmeZarrImage(image)
    assert opened.info.warnings == ()
    assert len([path for path in asked if re.search(r"[?&]prefix=[^&]*s0(/|%2F)", path)]) < 8


def test_a_bucket_without_any_chunk_is_told(tmp_path, store):
    _, bucket = store
    written(tmp_path / "a.ome.zarr", np.ones((1, 8, 8), np.uint16), "cyx", version="0.4")
    image = put(tmp_path / "a.ome.zarr", f"{bucket}/blank.ome.zarr")
    for name in ("0/0/0", "0.0.0"):
        if find(f"{image}/s0/{name}"):
            delete(f"{image}/s0/{name}")
    (warning,) = OmeZarrImage(image).info.warnings
    assert "none of its" in warning
