"""The table's conventions that the golden cases do not show."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from cellscale.annotations import DrawnRegion, DrawnRegions, WantedArea
from cellscale.cells.tables.parquet import ParquetWriter
from cellscale.cells.tables.tsv import TsvWriter
from cellscale.cells.text.columns import Dialect
from cellscale.images.info import PixelSize
from tests.cells.scenes import blobs, measured, written


def table(measurement, dialect=Dialect.V0_7, image_name="i.ome.tiff", size=5):
    stream = io.BytesIO()
    written(TsvWriter, measurement, stream, size, image_name=image_name, dialect=dialect)
    return [line.split("\t") for line in stream.getvalue().decode().splitlines()]


CELLS = np.array([[1, 1, 2, 2]])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("tab\there", ['"Nucleus: tab', 'here: Mean"']),
        ('quo"te', ['Nucleus: quo"te: Mean']),
        ("a/b", ["Nucleus: a/b: Mean"]),
        (" µTub ", ["Nucleus: µTub: Mean"]),
        ("🧬", ["Nucleus: 🧬: Mean"]),
        ("", ["Nucleus: Channel 1: Mean"]),
    ],
)
def test_channels_of_any_name(name, shown):
    with measured(CELLS, CELLS, [CELLS], channel_names=[name]) as measurement:
        header = table(measurement)[0]
    assert header[9 : 9 + len(shown)] == shown


@pytest.mark.parametrize("name", ['with "quotes".tiff', "µ, é; '.tiff", "a\\b.tiff"])
def test_images_of_any_name(name):
    with measured(CELLS, None) as measurement:
        rows = table(measurement, image_name=name)
    assert [row[0] for row in rows[1:]] == [name, name]


def test_an_image_name_with_a_tab_is_quoted():
    with measured(CELLS, None) as measurement:
        rows = table(measurement, image_name="a\tb.tiff")
    assert rows[1][:2] == ['"a', 'b.tiff"']


@pytest.mark.parametrize(("dialect", "undefined"), [(Dialect.V0_5, ""), (Dialect.V0_7, "NaN")])
def test_undefined_and_absent_measurements(dialect, undefined):
    with measured(CELLS, np.array([[1, 0, 0, 0]]), [np.array([[1.0, np.inf, 1, 2]])]) as measurement:
        header, *rows = table(measurement, dialect)
    name = "C0: Nucleus: Mean" if dialect is Dialect.V0_5 else "Nucleus: C0: Mean"
    assert [row[header.index(name)] for row in rows] == ["1", undefined]
    assert [row[header.index("Nucleus: Area px^2")] for row in rows] == ["1", ""]
    assert rows[0][header.index(name.replace("Nucleus", "Cell").replace("Mean", "Max"))] == "∞"


def test_values_of_large_variance_are_written_out():
    channel = np.array([[0, 4e9, 0, 1]])
    with measured(CELLS, None, [channel]) as measurement:
        header, first, _ = table(measurement)
    assert first[header.index("C0: Variance")] == "7999999874453996000"


def test_pixels_without_a_size_are_measured_in_pixels():
    with measured(CELLS, None) as measurement:
        assert table(measurement)[0][7:11] == ["Centroid X px", "Centroid Y px", "Area px^2", "Length px"]
    with measured(CELLS, None, pixel_size=PixelSize(1, 1)) as measurement:
        assert table(measurement)[0][7] == "Centroid X µm"


def test_batches_make_no_difference():
    cells, nuclei = blobs((60, 80), 1)
    with measured(cells, nuclei, [cells, nuclei]) as measurement:
        assert table(measurement, size=3) == table(measurement, size=1000)


def parquet(measurement, size=5):
    stream = io.BytesIO()
    written(ParquetWriter, measurement, stream, size, image_name="i.ome.tiff")
    return stream.getvalue()


def test_the_parquet_table_has_the_same_rows_and_joins_to_the_masks():
    cells, nuclei = blobs((60, 80), 2)
    with measured(cells, nuclei, [cells.astype(np.uint16)], pixel_size=PixelSize(0.5, 0.5)) as measurement:
        text, found = table(measurement), pq.read_table(io.BytesIO(parquet(measurement)))
        batch = next(measurement.batches(1000))
        columns = measurement.columns(Dialect.V0_7)
    assert found.column_names[:7] == [
        "Image",
        "Object ID",
        "Object type",
        "Cell label",
        "Nucleus label",
        "Centroid X µm",
        "Centroid Y µm",
    ]
    assert found["Object ID"].to_pylist() == [row[1] for row in text[1:]]
    assert found["Cell label"].to_pylist() == batch.cell_labels.tolist()
    assert found["Nucleus label"].to_pylist() == [label or None for label in batch.nucleus_labels.tolist()]
    values, absent = batch.select(columns)
    for index, name in enumerate(columns.names):
        column = found[name].combine_chunks()
        assert str(column.type) == "float"
        nulls = absent[:, index] | np.isnan(values[:, index])
        np.testing.assert_array_equal(column.is_null().to_numpy(zero_copy_only=False), nulls)
        np.testing.assert_array_equal(column.to_numpy(zero_copy_only=False)[~nulls], values[~nulls, index])
    without = batch.nucleus_labels == 0
    assert without.any()
    assert found["Nucleus: C0: Mean"].combine_chunks().is_null().to_pylist() == without.tolist()


def test_the_parquet_table_may_be_empty_and_is_always_the_same():
    with measured(CELLS * 0, None, [CELLS]) as measurement:
        assert len(pq.read_table(io.BytesIO(parquet(measurement)))) == 0
    with measured(CELLS, None, [CELLS]) as measurement:
        assert parquet(measurement) == parquet(measurement)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_tma_cores_have_a_column_before_that_of_parents_as_in_qupath(dialect):
    core = DrawnRegion("A-1", shapely.box(0, 0, 1, 1), title="A-1", is_core=True)
    drawn = DrawnRegion("Tumor", shapely.box(2, 0, 3, 1), path_class="Tumor", inside="A-2")
    area = WantedArea.of(DrawnRegions((core, drawn), "test"), shapely.Polygon())
    labels = np.array([[1, 0, 2, 0, 3]])
    with measured(labels, None) as measurement:
        measurement.assign_regions(area)
        header, *rows = table(measurement, dialect)
    assert header[4:7] == ["Classification", "TMA core", "Parent"]
    assert [row[5:7] for row in rows] == [
        ["A-1", "A-1"],
        ["A-2", "A-2 - Annotation (Tumor)"],
        ["", "Root object (Image)"],
    ]
    assert {len(row) for row in rows} == {len(header)}


def test_annotations_outside_of_cores_have_no_such_column():
    area = WantedArea.of(DrawnRegions((DrawnRegion("R", shapely.box(0, 0, 4, 1)),), "test"), shapely.Polygon())
    with measured(CELLS, None) as measurement:
        measurement.assign_regions(area)
        header = table(measurement)[0]
    assert header[4:6] == ["Classification", "Parent"]
