"""From masks to the data file: QuPath's own objects, field by field."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from cellscale.cells.matching import Matching
from cellscale.cells.passes.label_kinds import LEAST
from cellscale.cells.text.columns import Dialect
from cellscale.qupath.data_file import DataFile, write_data_file
from tests.cells.scenes import golden_case, measured
from tests.qupath.data_reader import read_data_file
from tests.qupath.golden import CASES, VERSIONS, golden_data
from tests.qupath.test_data_file import DIALECTS, assert_same_objects

RATIO = "Nucleus/Cell area ratio"


def written_and_read(measurement, dialect):
    """Return the data file of a measurement, read."""
    facts = DataFile(
        header="{}",
        root_id="0" * 36,
        entry="",
        columns=measurement.columns(dialect),
        dialect=dialect,
        count=len(measurement),
    )
    file = BytesIO()
    write_data_file(file, facts, measurement.batches(200))
    return read_data_file(file.getvalue())


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", [case for case in CASES if case != "nonuc"])
def test_masks_become_qupaths_objects(shared, case, version):
    golden, scene = golden_data(shared, case, version), golden_case(shared, case)
    with measured(
        scene.cells,
        scene.nuclei,
        scene.channels,
        channel_names=scene.names,
        pixel_size=scene.pixel_size,
        matching=Matching.QUPATH_INITIALIZER,
    ) as measurement:
        ours = written_and_read(measurement, DIALECTS[version])
    assert len({item.object_id for item in ours.objects}) == len(ours.objects)
    for mine, other in zip(ours.objects, golden.objects, strict=True):
        mine.object_id = other.object_id
        if (case, version) == ("aniso", "0.7.0") and RATIO in other.measurements:
            # In anisotropic pixels 0.7 scales the areas of simple polygons in double, all others' vertices in float.
            assert mine.measurements[RATIO] == pytest.approx(other.measurements[RATIO], abs=1e-6)
            mine.measurements[RATIO] = other.measurements[RATIO]
    assert_same_objects(ours.objects, golden.objects)


@pytest.mark.slow
@settings(max_examples=40)
@given(arrays(np.int32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 2)))
def test_all_forms_hold_the_pixels_of_the_label(mask):
    assume(sum(ndimage.label(mask == label)[1] for label in (1, 2)) < LEAST)  # more parts are refused: no cells
    with measured(mask, None) as measurement:
        for dialect in Dialect:
            found = written_and_read(measurement, dialect).objects
            assert len(found) == len(np.unique(mask[mask > 0]))
            for item, label in zip(found, np.unique(mask[mask > 0]), strict=True):
                np.testing.assert_array_equal(pixels(item.roi, mask.shape), mask == label)


def pixels(roi, shape):
    """Return the pixels inside a region, by counting the edges to the left of each."""
    inside = np.zeros(shape, dtype=int)
    for ring in (ring for polygon in roi.polygons for ring in polygon):
        for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if x0 == x1:
                inside[int(min(y0, y1)) : int(max(y0, y1)), int(x0) :] += 1
    return inside % 2 == 1
