"""What is no readable TIFF is refused with the reason, at once."""

import logging
import random
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellscale.errors import CellscaleError, ImageError, StorageError
from cellscale.images.tiff.tiff_image import TiffImage
from cellscale.regions import Region


def refused(path, *words, error=ImageError):
    with pytest.raises(error) as caught:
        TiffImage(path)
    message = str(caught.value)
    assert Path(path).name in message
    for word in words:
        assert word in message
    return message


@pytest.fixture
def good(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 9999, (3, 128, 128), dtype=np.uint16)
    path = tmp_path / "good.ome.tif"
    tifffile.imwrite(
        path, pixels, tile=(32, 32), compression="zlib", photometric="minisblack", ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "b", "c"]}},
    )  # fmt: skip
    return path


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.tiff").touch()
    refused(tmp_path / "empty.tiff", "empty (0 bytes)")


def test_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "notes.tiff").write_text("These are not pixels.\n")
    refused(tmp_path / "notes.tiff", "not a TIFF file")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
        (
            b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>",
            "a page of a website, such as its login",
        ),
        (b"\n<HTML>", "a page of a website"),
        (b"PK\x03\x04" + bytes(99), "a ZIP archive: unpack it"),
        (b"\x1f\x8b\x08" + bytes(99), "gunzip"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "a PNG picture: save the image as OME-TIFF"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5 (as Imaris has it): convert it"),
        (b"ZISRAWFILE" + bytes(99), "Zeiss CZI: convert it"),
    ],
)
def test_what_is_called_a_tiff_and_is_none_is_named(tmp_path: Path, content, words) -> None:
    (tmp_path / "x.tif").write_bytes(content)
    assert "damaged" not in refused(tmp_path / "x.tif", "not a TIFF file, but", words)


def test_a_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "gone.tiff", "does not exist", error=StorageError)


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder.tiff").mkdir()
    refused(tmp_path / "folder.tiff", "folder", error=StorageError)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [{"ome": True}, {"imagej": True}, {"metadata": None}])
@pytest.mark.parametrize("tile", [None, (32, 32)])
def test_a_truncated_file_is_refused_at_opening_or_has_all_its_pixels(tmp_path: Path, kind, tile) -> None:
    pixels = np.random.default_rng(0).integers(0, 9999, (3, 64, 64), dtype=np.uint16)
    path = tmp_path / "whole.tif"
    options = {} if tile is None or "imagej" in kind else {"tile": tile, "compression": "zlib"}
    tifffile.imwrite(path, pixels, photometric="minisblack", **kind, **options)
    content = path.read_bytes()
    cut = tmp_path / "cut.tif"
    refusals = 0
    for size in [
        *range(1, 1200, 97),
        *range(1200, len(content) - 1, 499),
        *range(len(content) - 1200, len(content), 7),
    ]:
        cut.write_bytes(content[:size])
        try:
            with TiffImage(cut) as image:
                np.testing.assert_array_equal(image.read((0, 1, 2), Region(0, 0, 64, 64)), pixels)
                assert len(image.info.channels) == 3
        except ImageError:
            refusals += 1
    assert refusals > 50


@pytest.mark.parametrize("kind", [{"ome": True}, {"metadata": None}])
def test_missing_pixels_are_told_with_the_sizes(tmp_path: Path, kind) -> None:
    path = tmp_path / "cut.tif"
    with tifffile.TiffWriter(path, **{key: value for key, value in kind.items() if key == "ome"}) as writer:
        writer.write(np.zeros((1000, 1000), np.uint16), metadata=kind.get("metadata", {}))
    content = path.read_bytes()
    path.write_bytes(content[:100_000])
    refused(path, "truncated", "100,000", "2,000,")


def test_an_imagej_stack_in_one_page_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "ij.tif"
    description = b"ImageJ=1.54f\nimages=5\nchannels=5\nhyperstack=true\n"
    tifffile.imwrite(path, np.zeros((64, 64), np.uint16), description=description, metadata=None)
    refused(path, "ImageJ description", "damaged")


@pytest.mark.parametrize("bigtiff", [False, True])
def test_pages_in_a_circle(tmp_path: Path, bigtiff) -> None:
    path = tmp_path / "circle.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint16), metadata=None, bigtiff=bigtiff)
    content = bytearray(path.read_bytes())
    pointer, head, entry, place = ("<Q", "<Q", 20, 8) if bigtiff else ("<I", "<H", 12, 4)
    (start,) = struct.unpack_from(pointer, content, place)
    (count,) = struct.unpack_from(head, content, start)
    struct.pack_into(pointer, content, start + struct.calcsize(head) + entry * count, start)
    path.write_bytes(content)
    refused(path, "circle")


def test_a_damaged_tile_is_told_when_it_is_read(good: Path) -> None:
    content = bytearray(good.read_bytes())
    with tifffile.TiffFile(good) as tiff:
        offset, size = tiff.pages[0].dataoffsets[5], tiff.pages[0].databytecounts[5]
    content[offset : offset + size] = bytes(size)
    good.write_bytes(content)
    with TiffImage(good) as image:
        image.read((0, 1, 2), Region(0, 0, 32, 128))
        for _ in range(2):  # a failure is not kept for a result
            with pytest.raises(ImageError, match="cannot be decoded"):
                image.read((0,), Region(0, 0, 128, 128))


@pytest.mark.slow
def test_random_damage_never_shows_a_traceback(good: Path, tmp_path: Path) -> None:
    content = good.read_bytes()
    rng = random.Random(5)
    path = tmp_path / "hurt.ome.tif"
    outcomes = set()
    for _ in range(250):
        hurt = bytearray(content)
        for _ in range(rng.choice([1, 3, 20])):
            # The first kilobytes hold the tags and the OME-XML.
            hurt[rng.randrange(min(3000, len(hurt)) if rng.random() < 0.7 else len(hurt))] = rng.randrange(256)
        path.write_bytes(hurt)
        try:
            with TiffImage(path) as image:
                bottom, right = min(64, image.info.height), min(64, image.info.width)
                image.read((0,), Region(0, 0, bottom, right))
            outcomes.add("read")
        except CellscaleError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_a_colour_photograph(tmp_path: Path) -> None:
    path = tmp_path / "picture.ome.tif"
    tifffile.imwrite(path, np.zeros((32, 40, 3), np.uint8), photometric="rgb", ome=True, metadata={"axes": "YXS"})
    refused(path, "colour image (RGB", "separate channels")
    tifffile.imwrite(
        tmp_path / "rgba.tif", np.zeros((32, 40, 4), np.uint8), photometric="rgb", extrasamples=["unassalpha"]
    )
    refused(tmp_path / "rgba.tif", "colour image (RGB")


@pytest.mark.parametrize("axes", ["ZYX", "TYX", "ZCYX", "TZCYX"])
def test_stacks_and_time_series(tmp_path: Path, axes) -> None:
    shape = [{"T": 5, "Z": 4, "C": 2}.get(axis, 16) for axis in axes]
    for kind in ({"ome": True}, {"imagej": True}, {}):
        if "imagej" in kind and axes == "ZCYX":
            continue
        path = tmp_path / "stack.tif"
        tifffile.imwrite(path, np.zeros(shape, np.uint16), photometric="minisblack", metadata={"axes": axes}, **kind)
        axis = "T" if axes[0] == "T" else "Z"
        refused(path, f"{5 if axis == 'T' else 4} ", f"({axis})")


@pytest.mark.parametrize(("dtype", "word"), [("complex64", "complex64"), ("bool", "bool"), ("int64", "int64")])
def test_pixels_of_other_kinds(tmp_path: Path, dtype, word) -> None:
    tifffile.imwrite(tmp_path / "odd.tif", np.zeros((16, 16), dtype))
    refused(tmp_path / "odd.tif", word, "uint16")


def test_a_plane_in_a_file_that_is_not_there(tmp_path: Path) -> None:
    planes = "".join(
        f'<TiffData FirstC="{i}" IFD="0" PlaneCount="1"><UUID FileName="{n}">urn:uuid:{i}</UUID></TiffData>'
        for i, n in enumerate(("a.ome.tif", "missing.ome.tif"))
    )
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:0">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="40" SizeY="30" '
        f'SizeC="2" SizeZ="1" SizeT="1">{planes}</Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((30, 40), np.uint16), description=xml, metadata=None)
    refused(tmp_path / "a.ome.tif", "declares 2 planes", "1 is there", "cannot be found: missing.ome.tif")


def test_entities_in_the_metadata_are_not_expanded(tmp_path: Path) -> None:
    xml = (
        '<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYCZT" Type="uint16" SizeX="16" SizeY="16" SizeC="1" SizeZ="1" SizeT="1">'
        '<Channel Name="&b;"/></Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "dtd.ome.tif", np.zeros((16, 16), np.uint16), description=xml, metadata=None)
    refused(tmp_path / "dtd.ome.tif", "document type")


def test_faults_are_not_logged_over_the_progress_bar(tmp_path: Path, good: Path, caplog) -> None:
    cut = tmp_path / "cut.tif"
    cut.write_bytes(good.read_bytes()[:700])
    with caplog.at_level(logging.DEBUG):
        refused(cut)
    assert not [record for record in caplog.records if record.name == "tifffile"]
    with caplog.at_level(logging.WARNING):
        logging.getLogger("tifffile").warning("of another program")
    assert [record.message for record in caplog.records if record.name == "tifffile"] == ["of another program"]
