"""QuPath's own results, object by object and cell by cell."""

import io
import re

import numpy as np
import pytest

from cellscale.cells.matching import Matching
from cellscale.cells.measurement import Measurement
from cellscale.cells.outline.shapes import Shapes
from cellscale.cells.shape_features import extents, stored_centroids
from cellscale.cells.tables.tsv import TsvWriter
from cellscale.cells.text.columns import Dialect
from tests.cells.scenes import GOLDEN_CASES, GoldenCase, golden_case, measured, rings, without_ids, written


@pytest.fixture(params=GOLDEN_CASES)
def case(request, shared) -> GoldenCase:
    return golden_case(shared, request.param)


def measured_case(case: GoldenCase) -> Measurement:
    return measured(
        case.cells,
        case.nuclei,
        case.channels,
        channel_names=case.names,
        pixel_size=case.pixel_size,
        matching=Matching.QUPATH_INITIALIZER,
    )


def test_values_are_those_of_qupath_bit_for_bit(case):
    with measured_case(case) as measurement:
        columns = measurement.columns(Dialect.V0_5)
        values, absent = next(measurement.batches(len(case.objects))).select(columns)
    assert len(values) == len(case.objects)
    for index, expected in enumerate(case.objects):
        present = ~absent[index]
        assert [name for name, is_there in zip(columns.names, present, strict=True) if is_there] == list(
            expected["measurements"]
        )
        wanted = np.array(list(expected["measurements"].values()), dtype=np.float64).astype(np.float32)
        np.testing.assert_array_equal(values[index][present], wanted)


@pytest.mark.slow
def test_outlines_are_those_of_qupath(case):
    with measured_case(case) as measurement:
        batch = next(measurement.batches(len(case.objects)))
    for index, expected in enumerate(case.objects):
        assert_same_roi(batch.outlines, index, expected["roi"])
        assert stored_centroids(batch.outlines)[index].tolist() == expected["roi"]["centroid"]
        row = batch.nucleus_rows[index]
        assert (row >= 0) == (expected.get("nucleus") is not None)
        if row >= 0:
            assert_same_roi(batch.nuclei, row, expected["nucleus"])


def assert_same_roi(shapes: Shapes, index: int, expected: dict) -> None:
    polygons = rings(shapes, index)
    assert (len(polygons) > 1) == (expected["geometry_type"] == "MultiPolygon")
    found = sorted(sorted(map(tuple, ring.tolist())) for polygon in polygons for ring in polygon)
    texts = re.findall(r"\(([^()]+)\)", expected["wkt"])
    wanted = sorted(sorted({tuple(map(int, xy.split())) for xy in text.split(",")}) for text in texts)
    assert found == wanted
    # QuPath rounds the centroids of nuclei, of which it makes no use, only now and then.
    np.testing.assert_allclose(stored_centroids(shapes)[index], expected["centroid"], rtol=0, atol=0.0051)
    assert extents(shapes)[index].tolist() == [expected["area"], expected["length"]]


@pytest.mark.parametrize(("dialect", "version"), [(Dialect.V0_5, "0.5.1"), (Dialect.V0_7, "0.7.0")])
def test_tables_are_those_of_qupath_as_text(case, dialect, version):
    expected = case.table(version)
    stream = io.BytesIO()
    with measured_case(case) as measurement:
        written(TsvWriter, measurement, stream, 100, image_name=expected[1][0], dialect=dialect)
    assert without_ids(stream.getvalue().decode()) == expected


@pytest.mark.parametrize(("dialect", "version"), [(Dialect.V0_5, "0.5.1"), (Dialect.V0_7, "0.7.0")])
def test_a_table_without_objects_is_that_of_qupath(shared, dialect, version):
    case = golden_case(shared, "nonuc")
    stream = io.BytesIO()
    with measured(case.cells * 0, case.nuclei, pixel_size=case.pixel_size) as measurement:
        written(TsvWriter, measurement, stream, 100, image_name="nonuc.ome.tiff", dialect=dialect)
    assert without_ids(stream.getvalue().decode()) == case.table(version)


def test_cells_are_measured_though_no_nucleus_was_found(shared):
    case = golden_case(shared, "nonuc")
    with measured(case.cells, case.nuclei, case.channels, matching=Matching.QUPATH_INITIALIZER) as measurement:
        batch = next(measurement.batches())
    assert batch.cell_labels.tolist() == np.unique(case.cells)[1:].tolist()
    assert not batch.nucleus_labels.any()
