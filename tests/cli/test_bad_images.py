"""Each kind of bad image fails alone, with a message that helps; those beside it are finished."""

import re
import shutil

import numpy as np
import pytest
import tifffile

from tests.cli.runs import MASKS, finished, run
from tests.pipeline.spots import spots, write_image

SHAPE = (60, 80)
PLANES = spots(SHAPE)


def truncated(path):
    write_image(path, PLANES)
    path.write_bytes(path.read_bytes()[:5000])


def text(path):
    path.write_text("These are not pixels.\n" * 100)


def nothing(path):
    path.touch()


def histology(path):
    pixels = np.full((*SHAPE, 3), (230, 180, 210), np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", ome=True, metadata={"axes": "YXS"})


def stack(axes):
    def write(path):
        shape = [{"T": 3, "Z": 4, "C": 2}.get(axis, 32) for axis in axes]
        metadata = {"axes": axes, "Channel": {"Name": ["DAPI", "Membrane"]}}
        tifffile.imwrite(path, np.ones(shape, np.uint16), photometric="minisblack", ome=True, metadata=metadata)

    return write


def pixels_of(micrometres):
    def write(path):
        write_image(path, PLANES, mpp=micrometres)

    return write


def damaged_tile(path):
    write_image(path, PLANES, tile=(16, 16), compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        place, size = tiff.pages[0].dataoffsets[7], tiff.pages[0].databytecounts[7]
    content = bytearray(path.read_bytes())
    content[place : place + size] = bytes(size)
    path.write_bytes(content)


def channels(*names):
    def write(path):
        write_image(path, np.resize(PLANES, (len(names), *SHAPE)), names)

    return write


def pixel(value):
    def write(path):
        planes = PLANES.astype(np.float32)
        planes[0, 30, 40] = value
        write_image(path, planes)

    return write


BAD = {
    "truncated": (truncated, ["truncated.ome.tiff", "truncated: ", "download it again"]),
    "text": (text, ["text.ome.tiff", "not a TIFF file"]),
    "nothing": (nothing, ["nothing.ome.tiff", "empty (0 bytes)", "download it again"]),
    "damaged tile": (damaged_tile, ["damaged tile.ome.tiff", "cannot be decoded"]),
    "histology": (histology, ["colour image (RGB", "separate channels"]),
    "stack": (stack("ZCYX"), ["4 ", "(Z)"]),
    "movie": (stack("TCYX"), ["3 ", "(T)"]),
    "stack and movie": (stack("TZCYX"), ["3 ", "(T)"]),
    "absent": (channels("DNA", "Membrane"), ["no channel 'DAPI'", "#1 DNA, #2 Membrane"]),
    "ambiguous": (
        channels("DAPI-01", "DAPI-02", "Membrane"),
        ["several channels match 'DAPI'", "#1 DAPI-01, #2 DAPI-02", "position"],
    ),
    "kilometres": (pixels_of(1e9), ["pixels of 1e+09 µm found (file)", "0.01 to 20 µm expected", "--image_mpp"]),
    "atoms": (pixels_of(1e-6), ["pixels of 1e-06 µm found (file)", "0.01 to 20 µm expected", "--image_mpp"]),
    "nan": (pixel(np.nan), ["1 pixels are not a number (NaN)", "Replace them"]),
    "infinite": (pixel(-np.inf), ["1 are infinite", "Replace them"]),
}
GOOD = ("a good one", "zzz good too")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Images of all bad kinds in one folder, with a good one at either end."""
    folder = tmp_path_factory.mktemp("bad")
    for name in GOOD:
        write_image(folder / "OMETIFF" / f"{name}.ome.tiff", PLANES)
    for name, (write, _) in BAD.items():
        write(folder / "OMETIFF" / f"{name}.ome.tiff")
    for suffix in (".ome.tiff", ".tif"):
        write_image(folder / "OMETIFF" / f"twin{suffix}", PLANES)
    return folder


@pytest.fixture(scope="module")
def done(dataset, tiny_model):
    return run(
        "segment-and-measure",
        "--no_report",
        "--model_path",
        tiny_model,
        "--nuclear_channel",
        "DAPI",
        "workspace",
        dataset,
    )


@pytest.mark.parametrize("image", BAD)
def test_a_bad_image_fails_with_the_reason_and_leaves_no_output(dataset, done, image):
    for word in BAD[image][1]:
        assert word in done.errors[image]
    assert not list(dataset.glob(f"*/{image}_*"))


def test_two_files_with_one_stem_are_refused_because_their_outputs_would_be_the_same(dataset, done):
    for word in ("2 files would have the same outputs", "twin.ome.tiff, twin.tif", "rename"):
        assert word in done.errors["twin"]
    assert not list(dataset.glob("*/twin_*"))


def test_the_good_images_beside_bad_ones_are_finished(dataset, done):
    assert done.exit_code == 1
    assert [name for name, status in done.statuses.items() if status == "done"] == list(GOOD)
    assert set(done.errors) == {*BAD, "twin"} == {n for n, status in done.statuses.items() if status == "failed"}
    assert all(finished(dataset, image) for image in GOOD)


def test_a_second_run_tries_the_bad_ones_again_and_keeps_the_rest(dataset, done, tiny_model):
    again = run(
        "segment-and-measure",
        "--no_report",
        "--model_path",
        tiny_model,
        "--nuclear_channel",
        "DAPI",
        "workspace",
        dataset,
    )
    assert again.exit_code == 1
    assert again.errors == done.errors
    assert [name for name, status in again.statuses.items() if status == "kept"] == list(GOOD)


def anywhere(error):
    """Return an error without the place of the pixels that were asked for first."""
    return re.sub(r"row \d+, column \d+", "somewhere", error)


def test_measuring_a_bad_image_fails_with_the_reason_too(dataset, done, tmp_path):
    """Measuring asks for no certain channels, no finite pixels in them, and no plausible size of a pixel."""
    unreadable = set(BAD) - {"absent", "ambiguous", "kilometres", "atoms", "nan", "infinite"}
    again = shutil.copytree(dataset, tmp_path / "again")
    for image in unreadable:
        shutil.copy(again / MASKS[0].format(GOOD[0]), again / MASKS[0].format(image))
    measured = run("measure", "--no_report", "--overwrite", "workspace", again)
    assert measured.exit_code == 1
    for image in unreadable:
        assert anywhere(measured.errors[image]) == anywhere(done.errors[image])
        assert not list(again.glob(f"REPORTS/{image}_*"))
    assert [name for name, status in measured.statuses.items() if status == "done"] == list(GOOD)
