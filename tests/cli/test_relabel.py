"""Masks of 0 and 255 are refused with the cure, and the cure works."""

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from tests.cli.runs import MASKS, finished, run
from tests.pipeline.spots import spots, write_dataset

SHAPE = (120, 160)
CELLS = ndimage.gaussian_filter(np.random.default_rng(0).random(SHAPE), 4)
CELLS = np.quantile(CELLS, 0.7) < CELLS
COUNT = ndimage.label(CELLS, np.ones((3, 3)))[1]


@pytest.fixture
def dataset(tmp_path):
    folder = write_dataset(tmp_path / "data", image=spots(SHAPE), other=spots(SHAPE))
    (folder / "SEGMASK").mkdir()
    tifffile.imwrite(folder / MASKS[0].format("image"), CELLS.astype(np.uint8) * 255)
    tifffile.imwrite(folder / MASKS[1].format("image").replace(".tiff", ".TIF"), CELLS)  # of one bit
    tifffile.imwrite(folder / MASKS[0].format("other"), ndimage.label(CELLS)[0].astype(np.int32))
    return folder


def test_a_mask_of_0_and_255_is_refused_and_relabelled_on_request(dataset):
    assert COUNT > 10
    refused = run("measure", "--no_report", "workspace", dataset)
    assert refused.exit_code == 1
    assert f"1 label in {COUNT} connected parts or more found in the whole-cell mask" in refused.errors["image"]
    assert "--relabel" in refused.errors["image"]
    before = (dataset / MASKS[0].format("image")).read_bytes()
    done = run("measure", "--relabel", "--no_report", "workspace", dataset)
    assert (done.exit_code, done.errors) == (0, {})
    assert finished(dataset, "image")
    table = (dataset / "REPORTS/image_QUANT.tsv").read_text(encoding="utf-8").splitlines()
    assert len(table) == COUNT + 1
    for mask in MASKS:
        found = tifffile.imread(dataset / mask.format("image"))
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found > 0, CELLS)
        assert found.max() == COUNT
    assert (dataset / f"{MASKS[0].format('image')}.original").read_bytes() == before
    assert sorted(path.name for path in (dataset / "SEGMASK").glob("image_N*Mask*")) == [
        "image_NucleusMask.TIF", "image_NucleusMask.tiff",
    ]  # fmt: skip
    again = run("measure", "--relabel", "--no_report", "workspace", dataset)
    assert set(again.statuses.values()) == {"kept"}
    assert len(list((dataset / "SEGMASK").glob("*.original*"))) == 2
    assert set(run("measure", "--no_report", "workspace", dataset).statuses.values()) == {"kept"}


def test_a_dry_run_changes_no_mask(dataset):
    before = sorted((path.name, path.read_bytes()) for path in (dataset / "SEGMASK").iterdir())
    assert run("measure", "--relabel", "--dry_run", "workspace", dataset).exit_code == 0
    assert sorted((path.name, path.read_bytes()) for path in (dataset / "SEGMASK").iterdir()) == before


def test_what_cannot_be_read_is_said_in_the_dry_run(dataset, tiny_model):
    bad = dataset / "OMETIFF" / "other.ome.tiff"
    with tifffile.TiffFile(bad, mode="r+") as tiff:
        for page in tiff.pages:
            page.aspage().tags["Compression"].overwrite(34661)  # JBIG, which no decoder is there for
            page.aspage().tags["BitsPerSample"].overwrite(8)
    for words in (["measure"], ["segment-and-measure", "--model_path", tiny_model]):
        done = run(*words, "--dry_run", "workspace", dataset)
        assert done.exit_code == 1
        assert "JBIG" in done.errors["other"]
        assert done.statuses["image"] == "planned"


def test_relabelling_is_for_masks_that_are_there(dataset):
    run("segment-and-measure", "--relabel", "workspace", dataset).explains("--relabel", "cellscale measure")
