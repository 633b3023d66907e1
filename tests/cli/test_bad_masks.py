"""Masks that others made, or that belong to another image, fail their own image when measured."""

import numpy as np
import pytest
import tifffile

from tests.cli.runs import MASKS, TABLES, finished, run
from tests.pipeline.spots import spots, write_dataset

SHAPE = (60, 80)
LABELS = np.zeros(SHAPE, np.int32)
LABELS[10:30, 10:30] = 1
LABELS[40:55, 20:70] = 2


def written(path, labels, **settings):
    tifffile.imwrite(path, labels, **settings)


def other_size(path):
    written(path, LABELS[:, :-1])


def colours(path):
    written(path, np.zeros((*SHAPE, 3), np.uint8), photometric="rgb")


def two_channels(path):
    written(path, np.stack([LABELS] * 2).astype(np.uint16), photometric="minisblack", metadata={"axes": "CYX"})


def negative(path):
    written(path, np.where(LABELS == 2, -2, LABELS))


def fractions(path):
    written(path, LABELS.astype(np.float32) / 2)


def truncated(path):
    written(path, LABELS)
    path.write_bytes(path.read_bytes()[:2000])


def text(path):
    path.write_text("These are not labels.")


def nothing(path):
    path.touch()


BAD = {
    "other_size": (other_size, ["60 x 79", "60 x 80", "belongs to another image"]),
    "colours": (colours, ["not a label mask", "colour image (RGB"]),
    "two_channels": (two_channels, ["2 channels found in the mask, one expected"]),
    "negative": (negative, ["label -2 found in the mask", "whole numbers from 0 on expected"]),
    "fractions": (fractions, ["the value 0.5 found in the mask", "whole numbers from 0 on expected"]),
    "truncated": (truncated, ["not a label mask", "truncated"]),
    "text": (text, ["not a label mask", "not a TIFF file"]),
    "nothing": (nothing, ["empty (0 bytes)"]),
    "unmasked": (lambda path: path.unlink(missing_ok=True), ["there is no mask", "cellscale segment"]),
}
GOOD = ("a_good", "z_good")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    planes = spots(SHAPE)
    folder = write_dataset(tmp_path_factory.mktemp("masks"), **dict.fromkeys([*BAD, *GOOD], planes))
    (folder / "SEGMASK").mkdir()
    for image in GOOD:
        written(folder / MASKS[0].format(image), LABELS)
    for image, (write, _) in BAD.items():
        write(folder / MASKS[0].format(image))
    return folder


@pytest.fixture(scope="module")
def done(dataset):
    return run("measure", "--no_report", "workspace", dataset)


@pytest.mark.parametrize("image", BAD)
def test_a_bad_mask_fails_its_image_with_the_reason(dataset, done, image):
    for word in (f"{image}_WholeCellMask", *BAD[image][1]):
        assert word in done.errors[image]
    assert not list(dataset.glob(f"REPORTS/{image}_*"))


def test_the_images_beside_are_measured(dataset, done):
    assert done.exit_code == 1
    assert {name for name, status in done.statuses.items() if status == "done"} == set(GOOD)
    assert set(done.errors) == set(BAD)
    whole_cell = tuple(table for table in TABLES if "Nucleus" not in table)
    for image in GOOD:
        assert finished(dataset, image, whole_cell)
        assert len((dataset / f"REPORTS/{image}_QUANT.tsv").read_text(encoding="utf-8").splitlines()) == 3


def test_the_nucleus_mask_is_checked_as_well(tmp_path):
    dataset = write_dataset(tmp_path, image=spots(SHAPE), other=spots(SHAPE))
    (dataset / "SEGMASK").mkdir()
    for image in ("image", "other"):
        for mask in MASKS:
            written(dataset / mask.format(image), LABELS)
    negative(dataset / MASKS[1].format("image"))
    done = run("measure", "--no_report", "workspace", dataset)
    assert done.exit_code == 1
    assert "image_NucleusMask: label -2 found" in done.errors["image"]
    assert done.statuses["other"] == "done"
