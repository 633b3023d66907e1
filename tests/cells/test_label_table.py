"""Labels, boxes, sizes and overlaps, however the image is cut."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellscale.cells.label_table import survey
from cellscale.cells.scratch_arrays import Scratch
from cellscale.regions import blocks
from tests.cells.scenes import label_masks, reader


def surveyed(cells, nuclei, block=(64, 64)):
    with ThreadPoolExecutor(2) as pool:
        return survey(reader(cells), reader(nuclei), blocks(cells.shape, block), pool, Scratch())


@pytest.mark.slow
@given(label_masks(), st.integers(1, 6), st.integers(1, 6))
def test_counts_are_right_whatever_the_blocks(cells, height, width):
    nuclei = np.rot90(cells, 2).copy()
    found = surveyed(cells, nuclei, (height, width))
    for table, mask in ((found.cells, cells), (found.nuclei, nuclei)):
        assert table.labels.tolist() == np.unique(mask[mask > 0]).tolist()
        for label, pixels, box in zip(table.labels, table.pixels, table.boxes.tolist(), strict=True):
            y, x = np.nonzero(mask == label)
            assert pixels == len(y)
            assert box == [y.min(), x.min(), y.max() + 1, x.max() + 1]
    overlaps = found.overlaps
    pairs = {
        (found.cells.labels[cell], found.nuclei.labels[nucleus]): pixels
        for cell, nucleus, pixels in zip(overlaps.cells, overlaps.nuclei, overlaps.pixels, strict=True)
    }
    both = (cells > 0) & (nuclei > 0)
    expected = {
        pair: ((cells == pair[0]) & (nuclei == pair[1])).sum() for pair in zip(cells[both], nuclei[both], strict=True)
    }
    assert pairs == expected


@pytest.mark.parametrize("label", [70_000, 2**24 + 1, 2**31, 2**32 - 1])
def test_large_labels_are_kept_apart(label):
    cells = np.array([[label, label - 1, 1]], dtype=np.uint32)
    found = surveyed(cells, cells[:, ::-1].copy())
    assert found.cells.labels.tolist() == [1, label - 1, label]
    assert found.overlaps.pixels.tolist() == [1, 1, 1]
    assert found.overlaps.nuclei.tolist() == [2, 1, 0]


def test_a_mask_that_does_not_exist_is_empty():
    cells = np.array([[5, 5]], dtype=np.uint32)
    with ThreadPoolExecutor(1) as pool:
        found = survey(None, reader(cells), blocks(cells.shape, (9, 9)), pool, Scratch())
    assert len(found.cells) == 0
    assert found.nuclei.labels.tolist() == [5]
