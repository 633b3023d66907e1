"""From raw channels to labels with the real network: DeepCell's cells."""

import numpy as np
import pytest

import cellscale
from benchmarks.agreement import agreement, matched_pixel_share

NAMES = [
    "BreastMIBI",
    "TissueSample",
    "TissueSample_200x180",
    "TissueSample_257x300",
    "TissueSample_mpp0.65",
    "TissueSample_no_membrane",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_cells_of_the_real_network_are_those_of_deepcell(shared, mesmer_path, name):
    golden = np.load(shared / "data" / "golden" / f"{name}.npz")
    found = cellscale.segment(
        np.moveaxis(golden["image"], -1, 0),
        channel_names=["DAPI", "Membrane"],
        image_mpp=float(golden["image_mpp"]),
        model_path=str(mesmer_path),
    )
    for labels, expected in ((found.whole_cell, golden["labels"][..., 0]), (found.nucleus, golden["labels"][..., 1])):
        assert expected.max() > 0
        assert agreement(expected, labels, 0.5).f1 == 1.0
        assert agreement(expected, labels, 0.9).f1 >= 0.999
        assert matched_pixel_share(expected, labels) >= 0.9995
