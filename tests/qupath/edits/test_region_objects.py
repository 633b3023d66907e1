"""Cells belong to the annotations of their regions, in which nothing of a person's is lost."""

import json
from io import BytesIO

import pytest
import shapely

from cellscale.annotations import DrawnRegion, DrawnRegions, wanted_area
from cellscale.cells.tables import TsvWriter
from tests.cells.scenes import measured
from tests.qupath.edits.data_editor import TUMOR, Edit, after_children, children, classify, drawn, rectangle, text_id
from tests.qupath.edits.test_carried_objects import CELLS, NUCLEI, Dataset
from tests.qupath.java_reader import read_java

LEFT, RIGHT = shapely.box(0, 0, 40, 60), shapely.box(40, 0, 70, 60)
SIZE = CELLS.shape


def area(*regions):
    return wanted_area(DrawnRegions(tuple(regions), "drawn.geojson"), None, SIZE)


TWO = area(
    DrawnRegion("Tumor", LEFT, path_class="Tumor", color=(200, 0, 0)), DrawnRegion("Stroma", RIGHT, title="Stroma")
)


@pytest.fixture
def dataset(tmp_path):
    found = Dataset(tmp_path)
    found.write(area=TWO)
    return found


def annotations(dataset):
    root = Edit(dataset.data).root
    return {
        thing.contents[0]: thing for thing in children(root) if thing.java_class.name.endswith("PathAnnotationObject")
    }


def parents(dataset):
    """Return the name of what holds each cell, by its id."""
    edit = Edit(dataset.data)
    found = {}
    for thing in children(edit.root):
        if thing.java_class.name.endswith("PathAnnotationObject"):
            name = thing.contents[0] or f"Annotation ({after_children(thing)[1].values['name']})"
            found |= {text_id(cell): name for cell in children(thing)}
        else:
            found[text_id(thing)] = "Root object (Image)"
    return found


def table(wanted):
    """Return the parent of each object as the table has it."""
    stream = BytesIO()
    with measured(CELLS, NUCLEI, (CELLS * 3,)) as measurement:
        measurement.assign_regions(wanted)
        writer = TsvWriter(stream, measurement, image_name="a.tiff")
        for batch in measurement.batches(5):
            writer.write(batch)
    header, *rows = (line.split("\t") for line in stream.getvalue().decode().splitlines())
    names = [header.index(name) for name in ("Object ID", "Parent")]
    return dict([row[name] for name in names] for row in rows)


def test_cells_are_in_the_annotation_of_their_region_as_the_table_says(dataset):
    expected = table(TWO)
    assert set(expected.values()) == {"Annotation (Tumor)", "Stroma", "Root object (Image)"}
    assert parents(dataset) == expected
    summary = json.loads((dataset.data.parent / "summary.json").read_text())["hierarchy"]
    assert summary["objectTypeCounts"] == {"Root objects": 1, "Cells": len(expected), "Annotations": 2}
    assert summary["annotationClassificationCounts"] == {"Tumor": 1, "Unclassified": 1}
    assert summary["nObjects"] == len(expected) + 3
    before = dataset.data.read_bytes()
    assert not dataset.write(area=TWO).changed
    assert dataset.data.read_bytes() == before
    dataset.write()
    assert set(parents(dataset).values()) == {"Root object (Image)"}


def test_what_a_person_did_stays_and_untouched_annotations_of_other_regions_go(dataset):
    edit = Edit(dataset.data)
    cells = {text_id(cell): cell for thing in children(edit.root) for cell in children(thing)}
    one = next(iter(cells))
    classify(cells[one])
    for thing in children(edit.root):
        if thing.contents[0] == "Stroma":
            thing.contents[0] = "mine"
    edit.add(drawn(name="first"))
    edit.save()
    other = area(DrawnRegion("Edge", shapely.box(0, 0, 20, 60), title="Edge"))
    replaced = dataset.write(area=other)
    assert "2 annotations, classes of 1 cell" in replaced.notes[0]
    assert set(annotations(dataset)) == {"Edge", "mine", "first"}
    held = parents(dataset)
    expected = table(other)
    assert {name for name, parent in held.items() if parent == "Edge"} == {
        name for name, parent in expected.items() if parent == "Edge"
    }
    found = Edit(dataset.data)
    again = {text_id(cell): cell for thing in (found.root, *children(found.root)) for cell in children(thing)}
    assert after_children(again[one])[1].values["name"] == "Tumor"
    summary = json.loads((dataset.data.parent / "summary.json").read_text())["hierarchy"]
    assert summary["objectTypeCounts"]["Annotations"] == 3


def test_annotations_that_a_run_chose_among_stay(dataset):
    ids = {name or "Tumor": text_id(thing) for name, thing in annotations(dataset).items()}
    tumor, stroma = (
        DrawnRegion("Tumor", LEFT, object_id=ids["Tumor"], path_class="Tumor", color=(200, 0, 0)),
        DrawnRegion("Stroma", RIGHT, object_id=ids["Stroma"], title="Stroma"),
    )
    for wanted in (area(tumor), None):  # the second: as with --exclude alone, which makes no region
        dataset.write(area=wanted, staying=(tumor, stroma))
        assert set(annotations(dataset)) == {None, "Stroma"}
        assert parents(dataset) == (
            dict.fromkeys(table(TWO), "Root object (Image)") if wanted is None else table(wanted)
        )
        summary = json.loads((dataset.data.parent / "summary.json").read_text())["hierarchy"]
        assert summary["objectTypeCounts"]["Annotations"] == 2
    edit = Edit(dataset.data)
    edit.add(drawn(name="mine"))
    edit.save()
    dataset.write(area=area(tumor), staying=(tumor, stroma))
    assert set(annotations(dataset)) == {None, "Stroma", "mine"}
    assert parents(dataset) == table(area(tumor))
    summary = json.loads((dataset.data.parent / "summary.json").read_text())["hierarchy"]
    assert summary["objectTypeCounts"]["Annotations"] == 3


def test_a_region_of_the_project_holds_its_cells_itself(tmp_path):
    dataset = Dataset(tmp_path)
    dataset.write()
    edit = Edit(dataset.data)
    edit.add(drawn(path_class=TUMOR, region=rectangle(0, 0, 40, 60)))
    edit.save()
    (annotation,) = annotations(dataset).values()
    wanted = area(DrawnRegion("Tumor", LEFT, object_id=text_id(annotation), path_class="Tumor"))
    dataset.write(area=wanted)
    assert len(annotations(dataset)) == 1
    assert parents(dataset) == table(wanted)
    before = dataset.data.read_bytes()
    assert not dataset.write(area=wanted).changed
    assert dataset.data.read_bytes() == before


def test_a_reader_that_shares_nothing_with_the_writer_finds_annotations_with_their_cells(dataset):
    contents = read_java(dataset.data.read_bytes())
    hierarchy = next(thing for thing in contents if "rootObject" in getattr(thing, "fields", ()))
    found = {}
    _, things, _ = apart(hierarchy.fields["rootObject"])
    for thing in things:
        if thing.name == "qupath.lib.objects.PathAnnotationObject":
            title, cells, (locked, path_class, roi, probability) = apart(thing)
            assert (locked.fields["value"], probability) == (False, bytes.fromhex("7ff8000000000000"))
            name = path_class.fields["name"] if title is None else title
            geometry = shapely.from_wkb(bytes(byte % 256 for byte in roi.fields["wkb"].values))
            found[name] = (geometry, {cell.name for cell in cells}, len(cells))
    expected = list(table(TWO).values())
    for name, parent, outline in (("Tumor", "Annotation (Tumor)", LEFT), ("Stroma", "Stroma", RIGHT)):
        geometry, kinds, count = found[name]
        assert geometry.equals(outline)
        assert (kinds, count) == ({"qupath.lib.objects.PathCellObject"}, expected.count(parent))


def apart(thing):
    """Return the name of an object, what it holds, and what follows."""
    name, _, _, _, first, *after = thing.content
    count = int.from_bytes(first[:4], "big")
    return name, after[:count], [*([first[4:]] if first[4:] else []), *after[count:]]
