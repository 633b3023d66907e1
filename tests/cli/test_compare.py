"""``cellscale compare``: datasets, folders and files of masks against each other."""

import numpy as np
import pytest
import tifffile

from cellscale.images.masks import write_mask
from cellscale.images.zarr.label_zarr import write_label_zarr
from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset

SHAPE = (700, 900)
GRID = np.add.outer(np.arange(SHAPE[0]) // 20 * 45, np.arange(SHAPE[1]) // 20 + 1)
INSIDE = np.logical_and.outer(np.arange(SHAPE[0]) % 20 > 3, np.arange(SHAPE[1]) % 20 > 3)
LABELS = np.where(INSIDE, GRID, 0).astype(np.int32)
CELLS = 35 * 45


def without(labels, count):
    """Return a mask that lacks the first objects."""
    return np.where(labels > count, labels, 0)


def write(path, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mask(path, [labels], labels.shape)
    return path


@pytest.fixture
def dataset(tmp_path):
    dataset = write_dataset(tmp_path / "data", alpha=spots(SHAPE), beta=spots(SHAPE))
    write(dataset / "SEGMASK" / "alpha_WholeCellMask.tiff", LABELS)
    write(dataset / "SEGMASK" / "alpha_NucleusMask.tiff", LABELS)
    write(dataset / "SEGMASK" / "beta_WholeCellMask.tiff", LABELS)
    return dataset


def compared(tmp_path, *words):
    """Compare, and return the rows that are printed by image and compartment."""
    done = run("compare", *words, "--out", tmp_path / "page.html")
    assert done.exit_code == 0, done.stderr
    header, *lines = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    return {(row[0], row[1]): dict(zip(header[2:], row[2:], strict=True)) for row in lines}, done


def test_a_dataset_and_a_folder_of_masks(dataset, tmp_path):
    other = tmp_path / "other"
    write(other / "alpha_WholeCellMask.tiff", without(LABELS, 10))
    write(other / "gamma_WholeCellMask.tiff", LABELS)
    rows, done = compared(tmp_path, dataset, other)
    assert rows == {
        ("alpha", "whole-cell"): {
            "objects A": str(CELLS), "objects B": str(CELLS - 10), "matched": str(CELLS - 10), "F1 at 0.5": "0.997",
            "mean F1": "0.997", "split in B": "0", "merged in B": "0",
        }
    }  # fmt: skip
    for told in ("alpha (nuclear): only", "beta (whole-cell): only", "gamma (whole-cell): only"):
        assert told in done.stderr
    page = (tmp_path / "page.html").read_text()
    assert "10 only in A, 0 only in B" in page
    assert "rows 0 to 256, columns 0 to 256" in page
    assert page.count("data:image/webp") == 1


def test_two_files_of_any_names_and_formats(tmp_path):
    write_label_zarr(tmp_path / "mine.ome.zarr", [LABELS], SHAPE)
    tifffile.imwrite(tmp_path / "drawn.tif", without(LABELS, 900).astype(np.uint16), tile=(128, 128))
    rows, _ = compared(tmp_path, tmp_path / "mine.ome.zarr", tmp_path / "drawn.tif")
    assert rows["mine", "whole-cell"]["matched"] == str(CELLS - 900)
    swapped, _ = compared(tmp_path, tmp_path / "drawn.tif", tmp_path / "mine.ome.zarr")
    assert swapped["drawn", "whole-cell"]["matched"] == str(CELLS - 900)


def test_hand_drawn_truth_of_nuclei_is_named_by_its_images(dataset, tmp_path):
    write(tmp_path / "truth" / "alpha.tif", LABELS)
    rows, _ = compared(tmp_path, "--compartment", "nuclear", tmp_path / "truth", dataset)
    assert list(rows) == [("alpha", "nuclear")]
    assert rows["alpha", "nuclear"]["F1 at 0.5"] == "1.000"
    assert "Every object has its partner" in (tmp_path / "page.html").read_text()


def test_a_damaged_mask_and_one_of_another_size_stop_no_other(dataset, tmp_path):
    other = tmp_path / "other"
    write(other / "alpha_WholeCellMask.tiff", LABELS[:-1])
    write(other / "beta_WholeCellMask.tiff", LABELS)
    (other / "alpha_NucleusMask.tiff").write_bytes(b"nothing")
    done = run("compare", dataset, other, "--out", tmp_path / "page.html")
    assert done.exit_code == 1
    assert "failed: alpha (whole-cell): alpha: the masks have 700 x 900 and 699 x 900 pixels" in done.stderr
    assert "failed: alpha (nuclear): " in done.stderr
    assert "beta\twhole-cell" in done.stdout
    page = (tmp_path / "page.html").read_text()
    assert "699 x 900" in page


def test_a_file_that_is_no_such_page_is_left(dataset, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("my notes")
    run("compare", dataset, dataset, "--out", page).explains("is no page of cellscale compare", "--overwrite")
    assert page.read_text() == "my notes"
    for words in (["--overwrite"], []):
        assert run("compare", dataset, dataset, "--out", page, *words).exit_code == 0
    assert "Masks compared" in page.read_text()


def test_what_is_not_there_or_has_nothing_in_common(dataset, tmp_path):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "other" / "omega.tif", LABELS)
    words = ["--out", tmp_path / "page.html"]
    run("compare", dataset, tmp_path / "gone", *words).explains("there is no", "gone", "folder of masks")
    run("compare", dataset, tmp_path / "gone.tif", *words).explains("there is no mask", "gone.tif")
    run("compare", tmp_path / "empty", dataset, *words).explains("has no masks", "SEGMASK")
    done = run("compare", dataset, tmp_path / "other", *words)
    assert done.exit_code == 2
    assert "no image of which both have a mask" in done.stderr
    assert "omega (whole-cell)" in done.stderr
    assert not (tmp_path / "page.html").exists()
