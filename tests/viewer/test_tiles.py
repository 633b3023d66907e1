"""Tiles hold the very pixels of the image and of its masks."""

import numpy as np
import pytest
import tifffile

from cellscale.images.masks.mask_writer import write_mask
from tests.patience import wait_for
from tests.pipeline.spots import write_dataset, write_image
from tests.viewer.questions import facts, label_tile, numbers


def planes(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(0, 100, (2, *shape)).astype(dtype)
    information = np.iinfo(dtype)
    return rng.integers(information.min, information.max, (2, *shape), dtype, endpoint=True)


def test_tiles_of_full_resolution_are_the_images_pixels(serve, tmp_path):
    pixels = planes((700, 1100), np.uint16)
    with serve(write_dataset(tmp_path / "data", one=pixels)) as server:
        for row, top in enumerate((0, 512)):
            for column, left in enumerate((0, 512, 1024)):
                expected = pixels[1, top : top + 512, left : left + 512]
                tile, complete = numbers(server, f"images/0/channels/1/0/{row}/{column}", "<u2")
                np.testing.assert_array_equal(tile.reshape(expected.shape), expected)
                assert complete


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint32, np.float32])
def test_other_types_are_sent_so_that_the_intensities_come_back(serve, tmp_path, dtype):
    pixels = planes((60, 80), dtype)
    with serve(write_dataset(tmp_path / "data", one=pixels)) as server:
        channel = facts(server, "images/0/channels/0")
        steps, _ = numbers(server, "images/0/channels/0/0/0/0", "<u2")
    intensities = steps * channel["step"] + channel["offset"]
    np.testing.assert_allclose(intensities, pixels[0].ravel(), atol=channel["step"] / 2 + 1e-9, rtol=1e-6)
    assert channel["dark"] < channel["bright"] <= channel["top"] <= 65535


def test_not_a_number_is_shown_as_nothing(serve, tmp_path):
    pixels = np.ones((2, 40, 40), np.float32)
    pixels[0, :20] = np.nan
    pixels[0, 0, 0] = np.inf
    with serve(write_dataset(tmp_path / "data", one=pixels)) as server:
        tile, _ = numbers(server, "images/0/channels/0/0/0/0", "<u2")
    assert not tile[1:800].any()


def test_coarser_tiles_are_means(serve, tmp_path):
    pixels = planes((1001, 1030), np.uint16)
    with serve(write_dataset(tmp_path / "data", one=pixels)) as server:
        tile, _ = numbers(server, "images/0/channels/0/1/0/1", "<u2")
    means = pixels[0, :1000, 1024:1030].reshape(500, 2, 3, 2).astype(float).mean(axis=(1, 3))
    np.testing.assert_allclose(tile.reshape(501, 3)[:500], means, atol=0.5)


def test_the_files_own_pyramid_is_used(serve, tmp_path):
    pixels = planes((1024, 1024), np.uint16)
    small = np.full((2, 512, 512), 7, np.uint16)
    (tmp_path / "data" / "OMETIFF").mkdir(parents=True)
    with tifffile.TiffWriter(tmp_path / "data" / "OMETIFF" / "one.ome.tiff", ome=True) as tiff:
        tiff.write(pixels, subifds=1, tile=(256, 256), metadata={"axes": "CYX"}, photometric="minisblack")
        tiff.write(small, subfiletype=1, tile=(256, 256), photometric="minisblack")
    with serve(tmp_path / "data") as server:
        tile, _ = numbers(server, "images/0/channels/0/1/0/0", "<u2")
    assert (tile == 7).all()


def test_labels_come_with_a_margin_for_their_outlines(serve, tmp_path):
    root = write_dataset(tmp_path / "data", one=planes((600, 700), np.uint8))
    labels = np.random.default_rng(1).integers(0, 2**31 - 1, (600, 700), np.int32)
    (root / "SEGMASK").mkdir()
    write_mask(root / "SEGMASK" / "one_WholeCellMask.tiff", [labels], labels.shape)
    framed = np.pad(labels, 1)
    with serve(root) as server:
        assert facts(server, "images/0")["masks"] == ["cells"]
        for row, column, height, width in ((0, 0, 512, 512), (0, 1, 512, 188), (1, 1, 88, 188)):
            tile, _ = label_tile(server, "cells", 0, row, column, width)
            top, left = 512 * row, 512 * column
            np.testing.assert_array_equal(tile, framed[top : top + height + 2, left : left + width + 2])
        coarse, _ = label_tile(server, "cells", 1, 0, 0, 350)
    np.testing.assert_array_equal(coarse[1:-1, 1:-1], labels[::2, ::2])


@pytest.mark.slow
def test_overviews_of_images_without_a_pyramid_grow_to_the_whole_truth(serve, tmp_path):
    shape = (2600, 9000)  # a mask this wide is kept again in tiles
    pixels = np.zeros((1, *shape), np.uint16)
    pixels[0] = np.add.outer(np.arange(shape[0]) * 3, np.arange(shape[1]) * 5)
    root = tmp_path / "data"
    write_image(root / "OMETIFF" / "one.ome.tiff", pixels, ["DAPI"], tile=(256, 256), compression="zlib")
    labels = (np.arange(pixels.size).reshape(shape) // 7).astype(np.int32)
    (root / "SEGMASK").mkdir()
    write_mask(root / "SEGMASK" / "one_WholeCellMask.tiff", [labels], shape)
    with serve(root) as server:
        for _ in range(2):  # the second time from the user's cache
            mean = _final(lambda: numbers(server, "images/0/channels/0/3/0/1", "<u2"))
            expected = pixels[0, :, 4096:8192].reshape(325, 8, 512, 8).mean(axis=(1, 3))
            np.testing.assert_allclose(mean.reshape(325, 512), expected, atol=1.5)
            for level in (0, 1, 4):
                width = min(512, -(-shape[1] >> level))
                tile = _final(lambda: label_tile(server, "cells", level, 0, 0, width))  # noqa: B023
                np.testing.assert_array_equal(tile[1:-1, 1:-1], labels[:: 1 << level, :: 1 << level][:512, :512])
            server.dataset._held.popitem()[1].drop()
    assert not list((tmp_path / "cache").glob("*/.part"))
    assert all((folder / "done").exists() for folder in (tmp_path / "cache").iterdir())


def _final(ask):
    """Ask again until the answer is final."""
    asked = []

    def complete():
        asked.append(ask())
        return asked[-1][1]

    wait_for(complete)
    return asked[-1][0]


def test_an_image_smaller_than_a_tile(serve, tmp_path):
    pixels = planes((1, 3), np.uint8)
    with serve(write_dataset(tmp_path / "data", one=pixels)) as server:
        assert facts(server, "images/0")["levels"] == 1
        tile, _ = numbers(server, "images/0/channels/1/0/0/0", "<u2")
    np.testing.assert_array_equal(tile, pixels[1, 0])


def test_a_zarr_image_with_zarr_masks(serve, tmp_path, tissue):
    import zarr

    from cellscale.images.zarr.label_zarr import write_label_zarr

    root = tmp_path / "data"
    pixels = planes((300, 200), np.uint16)
    group = zarr.create_group(root / "OMETIFF" / "one.ome.zarr", zarr_format=3)
    group.create_array("0", data=pixels, chunks=(1, 128, 128))
    axes = [{"name": "c", "type": "channel"}, *({"name": axis, "type": "space"} for axis in "yx")]
    scale = [{"type": "scale", "scale": [1, 1, 1]}]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}],
    }
    labels = np.arange(60_000, dtype=np.int32).reshape(300, 200)
    (root / "SEGMASK").mkdir()
    write_label_zarr(root / "SEGMASK" / "one_NucleusMask.ome.zarr", [labels], labels.shape)
    with serve(root) as server:
        tile, _ = numbers(server, "images/0/channels/0/0/0/0", "<u2")
        np.testing.assert_array_equal(tile.reshape(300, 200), pixels[0])
        marked, _ = label_tile(server, "nuclei", 0, 0, 0, 200)
        np.testing.assert_array_equal(marked[1:-1, 1:-1], labels)
