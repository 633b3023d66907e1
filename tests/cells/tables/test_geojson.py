"""Outlines and objects as GeoJSON."""

import gzip
import io
import json

import numpy as np
import pytest

from cellscale.cells.tables.geojson import GeoJsonWriter, write_shapes
from cellscale.cells.text.columns import Dialect
from tests.cells.scenes import blobs, measured, rings, written


def collection(measurement, size=7):
    stream = io.BytesIO()
    written(GeoJsonWriter, measurement, stream, size)
    return json.loads(gzip.decompress(stream.getvalue()))


def lines(measurement, outlines, size=7):
    stream = io.BytesIO()
    write_shapes(stream, measurement, outlines, size=size)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def coordinates(shapes, index):
    closed = [[[*ring.tolist(), ring[0].tolist()] for ring in polygon] for polygon in rings(shapes, index)]
    if len(closed) == 1:
        return {"type": "Polygon", "coordinates": closed[0]}
    return {"type": "MultiPolygon", "coordinates": closed}


@pytest.fixture
def measurement():
    cells, nuclei = blobs((60, 80), 8)
    with measured(cells, nuclei, [cells.astype(np.float32) / 3], channel_names=['a"\\µ']) as measurement:
        yield measurement


def test_objects_are_features_with_nuclei_and_measurements(measurement):
    features = collection(measurement)["features"]
    columns, batch = measurement.columns(Dialect.V0_7), next(measurement.batches())
    values, absent = batch.select(columns)
    assert len(features) == len(batch)
    for index, feature in enumerate(features):
        assert feature["id"] == batch.ids[index].decode()
        assert feature["geometry"] == coordinates(batch.outlines, index)
        row = batch.nucleus_rows[index]
        assert feature.get("nucleusGeometry") == (None if row < 0 else coordinates(batch.nuclei, row))
        assert feature["properties"]["objectType"] == "cell"
        found = feature["properties"]["measurements"]
        expected = {
            name: value
            for name, value, missing in zip(columns.names, values[index], absent[index], strict=True)
            if not missing and not np.isnan(value)
        }
        assert list(found) == list(expected)
        np.testing.assert_array_equal(np.array(list(found.values()), dtype=np.float32), list(expected.values()))


def test_batches_make_no_difference(measurement):
    assert collection(measurement, 3) == collection(measurement, 1000)


def test_detections_are_detections_and_infinities_are_left_out():
    mask = np.array([[1, 1]])
    with measured(mask, None, [np.array([[1, np.inf]])]) as measurement:
        (feature,) = collection(measurement)["features"]
    assert feature["properties"]["objectType"] == "detection"
    assert "nucleusGeometry" not in feature
    assert feature["properties"]["measurements"]["C0: Min"] == 1
    assert "C0: Max" not in feature["properties"]["measurements"]


def test_no_objects_are_an_empty_collection():
    with measured(np.zeros((3, 3)), None) as measurement:
        assert collection(measurement) == {"type": "FeatureCollection", "features": []}
        assert lines(measurement, measurement.cells) == []


def test_bytes_are_the_same_every_time(measurement):
    first, second = io.BytesIO(), io.BytesIO()
    for stream in (first, second):
        written(GeoJsonWriter, measurement, stream, 7)
    assert first.getvalue() == second.getvalue()


def test_shapes_have_labels_and_the_ids_of_their_objects(measurement):
    batch = next(measurement.batches())
    found = lines(measurement, measurement.cells)
    assert [feature["properties"]["label"] for feature in found] == batch.cell_labels.tolist()
    assert [feature["id"] for feature in found] == [identity.decode() for identity in batch.ids]
    assert [feature["geometry"] for feature in found] == [coordinates(batch.outlines, k) for k in range(len(batch))]


def test_nuclei_without_a_cell_have_shapes_but_no_id():
    cells, nuclei = np.array([[1, 1, 1, 1, 0]]), np.array([[5, 5, 6, 0, 7]])
    with measured(cells, nuclei) as measurement:
        found = lines(measurement, measurement.nuclei, 2)
        batch = next(measurement.batches())
    assert [feature["properties"]["label"] for feature in found] == [5, 6, 7]
    assert [feature.get("id") for feature in found] == [batch.ids[0].decode(), None, None]
