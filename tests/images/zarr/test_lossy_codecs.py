"""Masks in OME-Zarrs whose codecs changed numbers are refused, or warned of where they may have."""

import imagecodecs.numcodecs as image_codecs
import numcodecs
import numpy as np
import pytest
import zarr
from numcodecs import registry

from cellscale.errors import MaskError
from cellscale.images.masks.mask_reader import open_mask
from cellscale.images.zarr.lossy_codecs import change_of_codecs
from tests.images.zarr.test_ome_zarr import metadata

LABELS = (np.arange(64 * 64) % 251).astype(np.uint8).reshape(64, 64)


def write(path, labels, **codecs):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    array = group.create_array("s0", shape=labels.shape, dtype=labels.dtype, chunks=(64, 64), **codecs)
    array[...] = labels
    group.attrs.update(metadata("yx", [1, 1], version="0.4"))
    return path


@pytest.mark.parametrize(
    ("codec", "settings", "change"),
    [
        ("Jpeg", {"level": 80}, "certain"), ("Jpeg2k", {}, "none"),
        ("Jpeg2k", {"level": 40, "reversible": False}, "certain"), ("Jpegxl", {"lossless": True}, "none"),
        ("Jpegxl", {"lossless": False, "level": 70}, "certain"),
        ("Lerc", {"level": 3.0}, "certain"), ("Lerc", {}, "none"), ("Jpegxr", {"level": 100}, "possible"),
    ],
)  # fmt: skip
def test_codecs_of_pictures(tmp_path, monkeypatch, codec, settings, change):
    kind = getattr(image_codecs, codec)
    monkeypatch.setitem(registry.codec_registry, kind.codec_id, kind)
    try:
        path = write(tmp_path / "m.ome.zarr", LABELS, compressors=kind(**settings))
    except (ImportError, NotImplementedError) as error:
        pytest.skip(f"this imagecodecs has no such codec: {error}")
    stored = zarr.open_group(path, mode="r")["s0"][...]
    if change == "none":
        np.testing.assert_array_equal(stored, LABELS)
    elif change == "certain":
        assert (stored != LABELS).any()
    check(path, change, kind.codec_id)


def check(path, change, codec):
    if change == "certain":
        with pytest.raises(MaskError, match=rf"m\.ome\.zarr: compressed as {codec}, which changed numbers"):
            open_mask(path)
        return
    with open_mask(path) as mask:
        mask.read(mask.info.region)
        assert [codec in one and "may have changed numbers" in one for one in mask.warnings] == (
            [True] if change == "possible" else []
        )


@pytest.mark.parametrize(
    ("codec", "change"),
    [
        (numcodecs.Quantize(-1, "f4"), "certain"), (numcodecs.Quantize(0, "f4"), "none"),
        (numcodecs.Quantize(2, "f4", "f2"), "possible"), (numcodecs.BitRound(keepbits=4), "possible"),
        (numcodecs.FixedScaleOffset(0, 0.1, "f4", "u2"), "certain"), (numcodecs.AsType("u1", "f4"), "possible"),
        (numcodecs.AsType("f8", "f4"), "none"), (numcodecs.Shuffle(4), "none"),
    ],
)  # fmt: skip
def test_filters(tmp_path, codec, change):
    path = write(tmp_path / "m.ome.zarr", LABELS.astype("f4"), filters=[codec])
    check(path, change, codec.codec_id)


def test_codecs_of_version_three_and_inside_of_shards():
    bytes_codec = {"name": "bytes", "configuration": {"endian": "little"}}
    quantize = {"name": "numcodecs.quantize", "configuration": {"digits": -1, "dtype": "<f4"}}
    shards = {"name": "sharding_indexed", "configuration": {"codecs": [quantize, bytes_codec]}}
    assert change_of_codecs({"codecs": [quantize, bytes_codec]}) == ("certain", "numcodecs.quantize")
    assert change_of_codecs({"codecs": [shards]}) == ("certain", "numcodecs.quantize")
    assert change_of_codecs({"codecs": [bytes_codec, {"name": "zstd", "configuration": {"level": 1}}]}) == (
        "none",
        "",
    )
    assert change_of_codecs({"codecs": [{"name": "imagecodecs_lerc", "configuration": {"level": "x"}}]}) == (
        "possible", "imagecodecs_lerc",
    )  # fmt: skip


def test_masks_that_were_written_here_are_not_warned_of(tmp_path):
    group = zarr.open_group(tmp_path / "m.ome.zarr", mode="w", zarr_format=3)
    array = group.create_array("s0", shape=LABELS.shape, dtype=LABELS.dtype, chunks=(16, 16), shards=(32, 32))
    array[...] = LABELS
    group.attrs["ome"] = metadata("yx", [1, 1])
    check(tmp_path / "m.ome.zarr", "none", "")
