"""Labels from real network maps equal DeepCell's in every pixel."""

import numpy as np
import pytest

from benchmarks.whole_image import label_image
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL
from cellscale.label.resize import nearest_rows_columns
from cellscale.regions import Region

IMAGES = (
    "BreastMIBI",
    "TissueSample",
    "TissueSample_200x180",
    "TissueSample_257x300",
    "TissueSample_mpp0.65",
    "TissueSample_no_membrane",
)
COMPARTMENTS = (("whole_cell", WHOLE_CELL), ("nuclear", NUCLEUS))


@pytest.mark.parametrize(("block_size", "halo", "workers"), [(4096, 32, 1), (130, 8, 2)])
@pytest.mark.parametrize("image", IMAGES)
def test_labels_are_deepcells(shared, image, block_size, halo, workers):
    with np.load(shared / "data" / "golden" / f"{image}.npz") as golden:
        for index, (name, parameters) in enumerate(COMPARTMENTS):
            expected = golden["labels"][..., index]
            labels = label_image(
                golden[f"{name}_maxima"],
                golden[f"{name}_interior"],
                parameters,
                block_size=block_size,
                halo=halo,
                workers=workers,
            )
            rows, columns = nearest_rows_columns(Region(0, 0, *expected.shape), expected.shape, labels.shape)
            np.testing.assert_array_equal(labels[np.ix_(rows, columns)], expected)
