"""Projects that QuPath itself wrote, worked on in it, and measured again by cellscale: all of a person's work stays.

QuPath 0.5.1 and 0.7.0 wrote the files, without a person's work. What a person does is put into them by our reader
and writer, of which `test_java_reader` proves that they give QuPath's files back byte for byte. 0.6 has the layout of
0.7, and differs in the version that it names.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cellscale.cells.matching import Matching
from cellscale.cells.text import Dialect
from cellscale.images.open import open_image
from cellscale.qupath.java.java_types import JavaObject
from cellscale.qupath.objects.path_objects import array_list
from tests.cells.scenes import golden_case
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
)
from tests.qupath.edits.test_carried_objects import Dataset
from tests.qupath.golden import golden_project

CASES = ("tiny", "tiny_nopx", "tiny_wholecell", "order", "aniso")
WRITTEN_BY = {"0.5.1": "0.5.1", "0.6.0": "0.7.0", "0.7.0": "0.7.0"}
CD3_CELL = replace(TUMOR, values={**TUMOR.values, "name": "CD3", "parentClass": TUMOR})
CALIBRATION = {"value": 0.325, "unit": "µm"}


@pytest.fixture(params=CASES)
def case(shared, request):
    return golden_case(shared, request.param)


@pytest.fixture(params=WRITTEN_BY)
def dataset(shared, tmp_path, case, request):
    """A project of QuPath's beside its image, on another machine than the one where it was made."""
    version, found = request.param, Dataset(tmp_path)
    shutil.copytree(golden_project(shared, case.folder.name, WRITTEN_BY[version]), found.project)
    for file in (found.project / "project.qpproj", found.data):
        file.write_bytes(file.read_bytes().replace(WRITTEN_BY[version].encode(), version.encode()))
    (image,) = (case.folder / "OMETIFF").iterdir()
    with open_image(shutil.copy(image, tmp_path / "OMETIFF")) as opened:
        found.info = opened.info
    return found


def work_on_objects(data):
    """Do some of everything; return how the region of the first cells is written, in their order."""
    edit = Edit(data)
    cells = children(edit.root)
    classify(cells[0], CD3_CELL)
    cells[1].contents[0] = "my cell"
    measure(cells[1], "Distance to tumour", 12.5)
    cores = [drawn(CORE, number, name=f"A-{number}") for number in (1, 2)]
    area = drawn(number=3, name="front", path_class=TUMOR)
    change_children(cores[0], [cells[2]])
    change_children(area, [cells[1]])
    change_children(edit.root, [cores[0], cells[0], area, *cells[3:], cores[1], drawn(number=4, name="second")])
    edit.hierarchy.values["tmaGrid"] = JavaObject(GRID, {"gridWidth": 2, "cores": array_list(tuple(cores))})
    edit.set_image_type("BRIGHTFIELD_H_DAB")
    edit.save()
    return len(cells)


def work_on_project(file):
    """Rename the image and a channel, tell the pixel size, and write down a patient."""
    project = json.loads(file.read_text(encoding="utf-8"))
    (entry,) = project["images"]
    entry |= {"imageName": "my image", "metadata": {"patient": "7"}, "description": "of the left side"}
    metadata = entry["serverBuilder"]["metadata"]
    metadata["channels"][0] |= {"name": "my channel", "color": -1}
    metadata["pixelCalibration"] |= {"pixelWidth": CALIBRATION, "pixelHeight": CALIBRATION}
    file.write_text(json.dumps(project), encoding="utf-8")


@pytest.mark.parametrize("dialect", Dialect)
def test_all_of_a_persons_work_is_in_the_project_that_cellscale_measures_into(dataset, case, dialect):
    count = work_on_objects(dataset.data)
    work_on_project(dataset.project / "project.qpproj")
    theirs = dataset.data.read_bytes()
    given = {"channels": case.channels, "channel_names": case.names, "pixel_size": case.pixel_size}
    replaced = dataset.write(case.cells, case.nuclei, dialect, matching=Matching.QUPATH_INITIALIZER, **given)
    assert replaced.warnings == ()
    (kept,) = dataset.edited_copies()
    assert kept.read_bytes() == theirs

    edit = Edit(dataset.data)
    grid = edit.hierarchy.values["tmaGrid"].values["cores"].contents[1:]
    named = {thing.contents[0]: thing for thing in children(edit.root) if thing.contents[0]}
    assert set(named) == {"A-1", "A-2", "front", "second"}
    assert grid == [named["A-1"], named["A-2"]]
    assert after_children(named["front"])[1].values["name"] == "Tumor"
    (in_core,), (in_area,) = children(named["A-1"]), children(named["front"])
    assert in_area.contents[0] == "my cell"
    assert measurements(in_area)["Distance to tumour"] == 12.5
    cells = [thing for thing in children(edit.root) if thing not in named.values()]
    assert len(cells) + 2 == count
    (classed,) = [after_children(thing)[1] for thing in cells if after_children(thing)[1] is not None]
    assert (classed.values["name"], classed.values["parentClass"].values["name"]) == ("CD3", "Tumor")
    assert len(measurements(in_core)) >= len(case.names)

    summary = json.loads((dataset.data.parent / "summary.json").read_text())
    assert summary["imageType"] == "BRIGHTFIELD_H_DAB"
    assert summary["hierarchy"]["objectTypeCounts"]["TMA cores"] == 2
    (entry,) = json.loads((dataset.project / "project.qpproj").read_text(encoding="utf-8"))["images"]
    assert (entry["imageName"], entry["metadata"], entry["entryID"]) == ("my image", {"patient": "7"}, 1)
    metadata = entry["serverBuilder"]["metadata"]
    assert metadata["channels"][0] == {"name": "my channel", "color": -1}
    assert metadata["pixelCalibration"]["pixelWidth"] == CALIBRATION
    assert entry["serverBuilder"]["uri"] == Path(str(dataset.info.uri)).as_uri().replace("///", "/")
