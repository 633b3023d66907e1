"""Some objects of a batch are the same objects."""

import numpy as np

from cellscale.cells.selection import selected
from tests.cells.scenes import blobs, measured, rings


def test_selected_objects_are_those_of_the_batch():
    cells, nuclei = blobs((60, 80), 5)
    with measured(cells, nuclei, [cells]) as measurement:
        batch = next(measurement.batches())
    rows = np.array([7, 0, 3, len(batch) - 1])
    some = selected(batch, rows)
    assert len(some) == 4
    for new, old in enumerate(rows):
        assert some.ids[new] == batch.ids[old]
        assert some.cell_labels[new] == batch.cell_labels[old]
        assert (some.nucleus_rows[new] >= 0) == (batch.nucleus_rows[old] >= 0)
        np.testing.assert_array_equal(some.values[new], batch.values[old])
        same_rings(some.outlines, new, batch.outlines, old)
        if some.nucleus_rows[new] >= 0:
            same_rings(some.nuclei, some.nucleus_rows[new], batch.nuclei, batch.nucleus_rows[old])


def same_rings(one, row, other, other_row):
    assert one.labels[row] == other.labels[other_row]
    np.testing.assert_array_equal(one.boxes[row], other.boxes[other_row])
    for polygon, expected in zip(rings(one, row), rings(other, other_row), strict=True):
        for ring, wanted in zip(polygon, expected, strict=True):
            np.testing.assert_array_equal(ring, wanted)


def test_no_objects_may_be_selected():
    cells, nuclei = blobs((60, 80), 5)
    with measured(cells, nuclei) as measurement:
        some = selected(next(measurement.batches()), np.empty(0, dtype=np.int64))
    assert len(some) == len(some.outlines) == len(some.nuclei) == 0
