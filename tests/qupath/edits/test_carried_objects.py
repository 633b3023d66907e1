"""What a person did in QuPath is still there when objects are made anew."""

import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from cellscale.cells.matching import Matching
from cellscale.cells.text import Dialect
from cellscale.errors import StorageError
from cellscale.qupath.edits.edited_objects import read_edited
from cellscale.qupath.entry.entry_data import EntryData, write_entry
from cellscale.qupath.java.java_reader import UnreadableError
from cellscale.qupath.java.java_types import JavaObject
from cellscale.qupath.objects.path_objects import array_list
from cellscale.qupath.project import place_images, update_project
from tests.cells.scenes import blobs, golden_case, measured
from tests.qupath.data_reader import read_data_file
from tests.qupath.edits.data_editor import (
    CORE,
    GRID,
    TUMOR,
    Edit,
    after_children,
    change_children,
    children,
    classify,
    drawn,
    measure,
    measurements,
    text_id,
)
from tests.qupath.golden import golden_data, golden_project
from tests.qupath.test_data_file import assert_same_objects
from tests.qupath.test_project import info_of

CELLS, NUCLEI = blobs((60, 80), 5)
NAMES = {"name": "mine", "path_class": None}


class Dataset:
    """A project of one image."""

    def __init__(self, folder):
        self.project = folder / "PROJ"
        self.info = info_of(folder / "OMETIFF" / "a.tiff")
        self.data = self.project / "data" / "1" / "data.qpdata"

    def write(
        self,
        cells=CELLS,
        nuclei=NUCLEI,
        dialect=Dialect.V0_7,
        channels=(CELLS * 3,),
        area=None,
        staying=(),
        **options,
    ):
        """Measure, and write the project."""
        with measured(cells, nuclei, channels, **options) as measurement:
            if area is not None:
                measurement.assign_regions(area)
            (place,) = place_images(self.project, [self.info])
            facts = EntryData(
                image=place,
                kind=measurement.kind,
                count=len(measurement),
                root_id=measurement.root_id,
                columns=measurement.columns(dialect),
                dialect=dialect,
                regions=measurement.regions,
                staying=staying,
            )
            replaced = write_entry(self.project, facts, _Again(measurement), 1)
            update_project(self.project, [place], dialect, 1)
        return replaced

    def edited_copies(self):
        return list(self.data.parent.glob("data.qpdata.edited-*"))


class _Again:
    def __init__(self, measurement):
        self.measurement = measurement

    def __iter__(self):
        return self.measurement.batches(7)


@pytest.fixture
def dataset(tmp_path):
    found = Dataset(tmp_path)
    found.write()
    return found


def edited(dataset):
    """Do some of everything in QuPath; return the ids of the cells."""
    edit = Edit(dataset.data)
    ids = list(edit.cells())
    cells = edit.cells()
    classify(cells[ids[0]])
    cells[ids[1]].contents[0] = "my cell"
    measure(cells[ids[2]], "Distance to tumour", 12.5)
    edit.add(drawn(name="first"))
    edit.add(drawn(number=2, name="second"))
    edit.set_image_type("BRIGHTFIELD_H_E")
    edit.save()
    return ids


CHANGES = [
    pytest.param({"dialect": Dialect.V0_5}, id="--qupath_version"),
    pytest.param({"matching": Matching.QUPATH_INITIALIZER}, id="--matching"),
    pytest.param({"nuclei": NUCLEI[::-1]}, id="other nuclei"),
]


def test_a_persons_file_stays_where_our_objects_are_the_same(dataset):
    edited(dataset)
    before = dataset.data.read_bytes()
    assert not dataset.write().changed
    assert dataset.data.read_bytes() == before
    assert not dataset.edited_copies()


@pytest.mark.parametrize("change", CHANGES)
def test_everything_is_taken_over_into_new_objects(dataset, change):
    ids = edited(dataset)
    theirs = dataset.data.read_bytes()
    replaced = dataset.write(**change)
    assert replaced.warnings == ()
    assert "2 annotations, classes of 1 cell, names of 1 cell, measurements of 1 cell" in replaced.notes[0]
    edit = Edit(dataset.data)
    cells = edit.cells()
    assert after_children(cells[ids[0]])[1].values["name"] == "Tumor"
    assert cells[ids[1]].contents[0] == "my cell"
    assert measurements(cells[ids[2]])["Distance to tumour"] == 12.5
    assert [child.contents[0] for child in children(edit.root)[-2:]] == ["first", "second"]
    (kept,) = dataset.edited_copies()
    assert kept.read_bytes() == theirs
    summary = json.loads((dataset.data.parent / "summary.json").read_text())
    assert summary["imageType"] == "BRIGHTFIELD_H_E"
    assert summary["hierarchy"]["objectTypeCounts"]["Annotations"] == 2
    assert summary["hierarchy"]["detectionClassificationCounts"]["Tumor"] == 1
    again = dataset.data.read_bytes()
    assert not dataset.write(**change).changed
    assert dataset.data.read_bytes() == again
    dataset.write()
    assert set(Edit(dataset.data).cells()) >= set(ids)
    assert len(dataset.edited_copies()) == 1, "nobody has touched the file since"


def test_classes_of_all_cells_are_taken_over(dataset):
    edit = Edit(dataset.data)
    classes = [TUMOR, replace(TUMOR, values={**TUMOR.values, "name": "Stroma"}), None]
    expected = {one: classes[number % 3] for number, one in enumerate(edit.cells())}
    for one, path_class in expected.items():
        classify(edit.cells()[one], path_class)
    edit.save()
    dataset.write(dialect=Dialect.V0_5)
    found = {one: after_children(thing)[1] for one, thing in Edit(dataset.data).cells().items()}
    assert {one: given and given.values["name"] for one, given in found.items()} == {
        one: given and given.values["name"] for one, given in expected.items()
    }


@pytest.mark.parametrize("change", CHANGES)
def test_what_nobody_touched_is_what_would_be_made_anew(dataset, tmp_path, change):
    """The objects of a file with one annotation are those of a file without."""
    edit = Edit(dataset.data)
    edit.add(drawn())
    edit.save()
    dataset.write(**change)
    fresh = Dataset(tmp_path / "fresh")
    fresh.write(**change)
    ours = Edit(dataset.data)
    change_children(ours.root, children(ours.root)[:-1])
    ours.save()
    found, expected = (read_data_file(one.data.read_bytes()) for one in (dataset, fresh))
    assert found.properties == {"PROJECT_ENTRY_ID": f"{dataset.project}/project.qpproj::1"}
    assert_same_objects(found.objects, expected.objects)
    assert found.root_id == expected.root_id


def test_old_measurements_of_ours_are_not_taken_over_as_a_persons(dataset):
    ids = edited(dataset)
    dataset.write(dialect=Dialect.V0_5, channel_names=["CD8"])
    found = measurements(Edit(dataset.data).cells()[ids[2]])
    assert "Distance to tumour" in found
    assert not [name for name in found if "C0" in name or name.startswith("Cell: CD8")]


def test_a_grid_of_tissue_cores_stays_one_with_its_cores(dataset):
    edit = Edit(dataset.data)
    ids = list(edit.cells())
    cores = [drawn(CORE, number) for number in (1, 2)]
    cells = edit.cells()
    change_children(cores[0], [cells[ids[0]], cells[ids[3]]])
    change_children(edit.root, [cores[0], *(cells[one] for one in ids if one not in (ids[0], ids[3])), cores[1]])
    edit.hierarchy.values["tmaGrid"] = JavaObject(GRID, {"gridWidth": 2, "cores": array_list(tuple(cores))})
    edit.save()
    dataset.write(dialect=Dialect.V0_5)
    edit = Edit(dataset.data)
    first, second = edit.hierarchy.values["tmaGrid"].values["cores"].contents[1:]
    assert any(child is first for child in children(edit.root))
    assert any(child is second for child in children(edit.root))
    assert [text_id(child) for child in children(first)] == [ids[0], ids[3]]
    assert len(edit.cells()) == len(ids)
    assert all("C0: Cell: Mean" in measurements(child) for child in children(first))


def test_deleted_cells_stay_deleted_while_cells_are_the_same(dataset):
    edit = Edit(dataset.data)
    ids = list(edit.cells())
    change_children(edit.root, children(edit.root)[2:])
    edit.save()
    assert "the deletion of 2 cells" in dataset.write(dialect=Dialect.V0_5).notes[0]
    assert list(Edit(dataset.data).cells()) == ids[2:]
    dataset.write()
    assert list(Edit(dataset.data).cells()) == ids[2:]
    other = dataset.write(cells=np.where(CELLS.max() == CELLS, 0, CELLS))
    assert "the deletion of 2 cells, which may be there again" in other.warnings[0]


def test_what_was_given_to_cells_that_are_gone_is_kept_and_named(dataset):
    ids = edited(dataset)
    theirs = dataset.data.read_bytes()
    gone = np.unique(CELLS[CELLS > 0])[0]
    replaced = dataset.write(cells=np.where(gone == CELLS, 0, CELLS))
    (kept,) = dataset.edited_copies()
    assert kept.read_bytes() == theirs
    assert replaced.warnings == (
        "not taken over from what was done in QuPath: classes of 1 cell, of cells that are not there any more: "
        f"it is in {kept}",
    )
    cells = Edit(dataset.data).cells()
    assert ids[0] not in cells
    assert cells[ids[1]].contents[0] == "my cell"


def test_ids_of_an_older_cellscale_are_known_by_the_outlines(dataset):
    ids = edited(dataset)
    edit = Edit(dataset.data)
    for number, thing in enumerate(list(edit.cells().values())[: len(ids)]):
        _, _, values = thing.contents[2].contents
        thing.contents[2] = JavaObject(
            thing.contents[2].java_class,
            contents=[
                *thing.contents[2].contents[:2],
                replace(values, values=(f"{number:08d}-0000-8000-8000-000000000000",)),
            ],
        )
    edit.save()
    (dataset.data.parent / "cellscale.json").unlink()
    assert dataset.write().warnings == ()
    cells = Edit(dataset.data).cells()
    assert after_children(cells[ids[0]])[1].values["name"] == "Tumor"
    assert len(cells) == len(ids) + 2


@pytest.mark.parametrize("version", ["0.5.1", "0.7.0"])
def test_a_first_run_into_a_project_of_qupath(shared, tmp_path, version):
    """Cells that QuPath has from the same masks become ours; a person's annotations and other cells stay."""
    case = golden_case(shared, "tiny")
    dataset = Dataset(tmp_path)
    dataset.data.parent.mkdir(parents=True)
    dataset.data.write_bytes((golden_project(shared, "tiny", version) / "data/1/data.qpdata").read_bytes())
    edit = Edit(dataset.data)
    edit.add(drawn(name="mine"))
    classify(children(edit.root)[0])
    edit.save()
    theirs = golden_data(shared, "tiny", version).objects
    given = {"channels": case.channels, "channel_names": case.names, "pixel_size": case.pixel_size}
    replaced = dataset.write(case.cells, case.nuclei, matching=Matching.QUPATH_INITIALIZER, **given)
    assert replaced.warnings == ()
    found = children(Edit(dataset.data).root)
    assert len(found) == len(theirs) + 1
    assert found[-1].contents[0] == "mine"
    assert [after_children(thing)[1] is not None for thing in found] == [True] + [False] * len(theirs)


def test_what_cannot_be_read_is_kept_and_named(dataset):
    for content in (b"", b"edited", dataset.data.read_bytes()[:-40]):
        dataset.data.write_bytes(content)
        (warning,) = dataset.write().warnings
        kept = next(path for path in dataset.edited_copies() if path.read_bytes() == content)
        assert str(kept) in warning
        assert warning.startswith("what was done in QuPath cannot be taken over, because it ")


def test_a_file_that_is_saved_while_we_write_is_not_replaced(dataset):
    edited(dataset)

    class Saving(_Again):
        def __iter__(self):
            yield from super().__iter__()
            dataset.data.write_bytes(b"saved by a person")

    with measured(CELLS, NUCLEI, [CELLS], channel_names=["new"]) as measurement:
        (place,) = place_images(dataset.project, [dataset.info])
        facts = EntryData(
            image=place,
            kind=measurement.kind,
            count=len(measurement),
            root_id=measurement.root_id,
            columns=measurement.columns(Dialect.V0_7),
            dialect=Dialect.V0_7,
        )
        with pytest.raises(StorageError, match="was saved by another program"):
            write_entry(dataset.project, facts, Saving(measurement), 1)
    assert dataset.data.read_bytes() == b"saved by a person"


@pytest.mark.slow
def test_damage_of_any_kind_is_damage_of_the_file(dataset):
    edited(dataset)
    whole = dataset.data.read_bytes()
    random = np.random.default_rng(8)
    for _ in range(600):
        data = bytearray(whole)
        for place in random.integers(0, len(data), random.integers(1, 6)):
            data[place] = random.integers(0, 256)
        with suppress(UnreadableError):
            read_edited(bytes(data), frozenset(), {}, [])
