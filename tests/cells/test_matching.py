"""Which nucleus belongs to which cell."""

import numpy as np
import pytest
from hypothesis import given

from cellscale.cells.matching import Matching, match
from cellscale.cells.scratch_arrays import Scratch
from tests.cells.scenes import label_masks
from tests.cells.test_label_table import surveyed


def pairs(cells, nuclei, matching=Matching.ONE_TO_ONE):
    found = surveyed(np.asarray(cells, np.uint32), np.asarray(nuclei, np.uint32))
    paired = match(found, matching, Scratch())
    of_nuclei = np.append(found.nuclei.labels, 0)[paired.nuclei]
    labels = found.cells.labels[paired.cells], of_nuclei
    return list(zip(*map(np.ndarray.tolist, labels), strict=True)), paired.unmatched_nuclei


@pytest.mark.parametrize(
    ("cells", "nuclei", "expected", "unmatched"),
    [
        pytest.param([[1, 1, 0, 2]], [[0, 3, 0, 0]], [(1, 3), (2, 0)], 0, id="inside"),
        pytest.param([[1, 1, 1, 1]], [[4, 4, 5, 0]], [(1, 4)], 1, id="two inside one cell: the lower label"),
        pytest.param([[0, 2, 2, 0]], [[7, 7, 7, 7]], [(2, 7)], 0, id="larger than its cell"),
        pytest.param([[1, 1, 2, 2, 2]], [[0, 9, 9, 9, 0]], [(1, 0), (2, 9)], 0, id="most of its pixels"),
        pytest.param([[1, 1, 2, 2]], [[0, 9, 9, 0]], [(1, 9), (2, 0)], 0, id="a tie goes to the lower cell"),
        pytest.param([[1, 1, 1, 2, 2]], [[8, 8, 9, 9, 0]], [(1, 8), (2, 9)], 0, id="a better nucleus first"),
        pytest.param([[1, 1, 1, 1, 0]], [[5, 0, 7, 7, 7]], [(1, 7)], 1, id="a large one, not a speck"),
        pytest.param([[1, 1, 1, 1, 0]], [[6, 6, 7, 7, 7]], [(1, 6)], 1, id="equal pixels: the larger share"),
        pytest.param([[0, 1, 1, 1, 1]], [[6, 6, 6, 7, 7]], [(1, 7)], 1, id="equal pixels, higher label: the share"),
        pytest.param(
            [[1, 1, 1, 2, 2]], [[8, 9, 9, 9, 9]], [(1, 9), (2, 0)], 1, id="equal pixels and shares: the lower cell"
        ),
        pytest.param([[1, 0]], [[0, 5]], [(1, 0)], 1, id="apart"),
    ],
)
def test_one_to_one_takes_the_largest_overlap_first(cells, nuclei, expected, unmatched):
    assert pairs(cells, nuclei) == (expected, unmatched)


@pytest.mark.slow
@given(label_masks(8, 5))
def test_one_to_one_uses_every_cell_once_and_every_nucleus_at_most_once(cells):
    nuclei = np.roll(cells[::-1], 1, axis=1)
    found, unmatched = pairs(cells, nuclei)
    assert [cell for cell, _ in found] == np.unique(cells[cells > 0]).tolist()
    used = [nucleus for _, nucleus in found if nucleus]
    assert len(set(used)) == len(used)
    assert set(used) <= set(np.unique(nuclei).tolist())
    assert unmatched == len(np.unique(nuclei[nuclei > 0])) - len(used)
    for nucleus in set(np.unique(nuclei[nuclei > 0]).tolist()) - set(used):
        touched = set(np.unique(cells[nuclei == nucleus]).tolist()) - {0}
        assert all(dict(found)[cell] for cell in touched), "a nucleus is left over beside a cell without one"


@pytest.mark.parametrize(
    ("cells", "nuclei", "expected", "unmatched"),
    [
        pytest.param(
            [[1, 1, 1, 0, 2, 2]], [[5, 0, 4, 0, 3, 0]], [(2, 3), (1, 4), (1, 5)], 0, id="inside, by nucleus"
        ),
        pytest.param([[0, 2, 2, 0]], [[7, 7, 7, 7]], [(2, 0)], 1, id="a nucleus that covers its cell is dropped"),
        pytest.param([[1, 1, 1, 2, 2]], [[0, 8, 9, 9, 0]], [(1, 8), (2, 9)], 0, id="taken cells are not candidates"),
        pytest.param([[3, 3, 2, 2, 1]], [[0, 9, 9, 0, 0]], [(2, 9), (1, 0), (3, 0)], 0, id="a tie: the lower cell"),
        pytest.param(
            [[1, 1, 2, 2, 2, 2, 3]], [[0, 8, 8, 0, 9, 9, 9]], [(2, 9), (1, 8), (3, 0)], 0, id="in the order of shares"
        ),
    ],
)
def test_the_initializers_rule(cells, nuclei, expected, unmatched):
    assert pairs(cells, nuclei, Matching.QUPATH_INITIALIZER) == (expected, unmatched)
