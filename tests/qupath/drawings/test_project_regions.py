"""Annotations and TMA cores of a project are regions: of all forms, by class or name, in files of QuPath's own."""

import json
import shutil

import numpy as np
import pytest
import shapely

from cellscale.errors import ImageError
from cellscale.qupath.drawings import ProjectRegions
from cellscale.qupath.java.java_types import JavaArray, JavaObject
from cellscale.qupath.java.serial_classes import PATH_CLASS
from tests.qupath.edits.data_editor import (
    AREA_ROI,
    CORE,
    ELLIPSE_ROI,
    LINE_ROI,
    PLANE,
    RINGS,
    TUMOR,
    Edit,
    children,
    drawn,
    floats,
    geometry,
    polygon,
    rectangle,
)
from tests.qupath.golden import golden_project

HOLED = shapely.Polygon([(0, 0), (20, 0), (20, 20), (0, 20)], [[(5, 5), (9, 5), (9, 9), (5, 9)]])
TWO = shapely.MultiPolygon([shapely.box(30, 0, 34, 4), HOLED])


def class_of(name, parent=None):
    return JavaObject(PATH_CLASS, {**TUMOR.values, "name": name, "parentClass": parent})


def rings(*sides):
    return JavaArray(RINGS, tuple(floats(side) for side in sides))


FORMS = {
    "rectangle": (rectangle(1.5, 2, 30, 40.25), shapely.box(1.5, 2, 30, 40.25)),
    "polygon": (polygon((1, 1), (9.5, 2), (4, 8.25)), shapely.Polygon([(1, 1), (9.5, 2), (4, 8.25)])),
    "holes": (geometry(shapely.to_wkb(HOLED, byte_order=0)), HOLED),
    "several": (geometry(shapely.to_wkb(TWO, byte_order=0)), TWO),
    "area": (
        JavaObject(
            AREA_ROI,
            {
                **PLANE,
                "name": None,
                "x": rings([0, 20, 20, 0], [5, 9, 9, 5]),
                "y": rings([0, 0, 20, 20], [5, 5, 9, 9]),
            },
        ),
        HOLED,
    ),
}


@pytest.fixture(params=["0.5.1", "0.7.0"])
def project(request, shared, tmp_path):
    """A project that QuPath wrote, to draw in; it names the image at the place where it was made."""
    folder = tmp_path / "PROJ"
    shutil.copytree(golden_project(shared, "tiny", request.param), folder)
    return folder


def draw(project, *objects):
    edit = Edit(project / "data" / "1" / "data.qpdata")
    for thing in objects:
        edit.add(thing)
    edit.save()


def regions(project, wanted="", without=None, image="tiny.ome.tiff"):
    return ProjectRegions(project, project.parent / "OMETIFF" / image, wanted, without).read()


def test_annotations_of_all_forms_are_read_beside_cells(project):
    draw(
        project,
        *(drawn(number=index, name=name, region=form) for index, (name, (form, _)) in enumerate(FORMS.items())),
    )
    found = {region.name: region.geometry for region in regions(project).regions}
    assert set(found) == set(FORMS)
    for name, (_, expected) in FORMS.items():
        assert found[name].equals(expected), name


def test_an_ellipse_is_one_and_lines_are_no_regions(project):
    draw(project, drawn(region=rectangle(10, 20, 50, 40, ELLIPSE_ROI)), drawn(region=rectangle(0, 0, 9, 9, LINE_ROI)))
    (region,) = regions(project).regions
    assert region.geometry.area == pytest.approx(np.pi * 20 * 10, rel=1e-3)
    assert region.geometry.bounds == pytest.approx((10, 20, 50, 40))


def test_regions_are_chosen_by_class_or_name_and_ignored_classes_are_left_out(project):
    edge = class_of("Edge", TUMOR)
    draw(
        project,
        drawn(number=1, path_class=TUMOR, region=rectangle(0, 0, 9, 9)),
        drawn(number=2, name="mine", path_class=TUMOR, region=rectangle(10, 0, 19, 9)),
        drawn(number=3, path_class=edge, region=rectangle(20, 0, 29, 9)),
        drawn(number=4, path_class=class_of("Ignore*"), region=rectangle(30, 0, 39, 9)),
    )
    assert regions(project).names == ("Tumor", "mine", "Tumor: Edge")
    assert regions(project, "Tumor").names == ("Tumor", "mine")
    assert regions(project, "mine, Tumor: Edge").names == ("mine", "Tumor: Edge")
    assert regions(project, "Ignore*").names == ("Ignore*",)
    assert regions(project, without="Tumor").names == ("Tumor: Edge",)
    assert [region.shown_name for region in regions(project).regions] == [
        "Annotation (Tumor)", "mine", "Annotation (Tumor: Edge)",
    ]  # fmt: skip
    with pytest.raises(ImageError, match=r"class or name 'Stroma'.*found: Ignore\*, Tumor, Tumor: Edge, mine"):
        regions(project, "Stroma")


def test_the_inner_of_two_annotations_holds_a_cell_as_in_qupath(project):
    inner = drawn(number=2, name="inner", region=rectangle(2, 2, 5, 5))
    draw(project, drawn(name="outer", region=rectangle(0, 0, 20, 20), children=[inner]))
    found = regions(project)
    assert found.names == ("inner", "outer")
    np.testing.assert_array_equal(found.indices(np.array([[3.0, 3.0], [9.0, 9.0]])), [0, 1])


def test_the_cores_of_a_tissue_microarray_are_regions_but_the_missing_ones(project):
    spot = drawn(number=9, name="spot", region=rectangle(2, 2, 5, 5))
    cores = [
        drawn(CORE, x, name=name, region=rectangle(x, 0, x + 9, 9, ELLIPSE_ROI), missing=name == "A-2")
        for name, x in (("A-1", 0), ("A-2", 10), ("B-1", 20))
    ]  # fmt: skip
    draw(project, *cores)
    assert regions(project).names == ("A-1", "B-1")
    edit = Edit(project / "data" / "1" / "data.qpdata")
    core = next(child for child in children(edit.root) if child.contents[0] == "A-1")
    core.contents[4:5] = [bytes([0, 0, 0, 1]), spot]
    edit.save()
    assert [region.shown_name for region in regions(project).regions] == ["A-1 - spot"]
    assert regions(project, "TMA").names == ("A-1", "B-1")
    assert [region.is_core for region in regions(project, "B-1").regions] == [True]


def test_what_is_no_region_is_told_by_name(project):
    with pytest.raises(ImageError, match=r"no annotations with an area on tiny\.ome\.tiff"):
        regions(project)
    with pytest.raises(ImageError, match=r"does not list other\.tiff"):
        regions(project, image="other.tiff")
    draw(project, drawn(name="bow", region=polygon((0, 0), (10, 10), (10, 0), (0, 10))))
    with pytest.raises(ImageError, match="'bow' is not valid"):
        regions(project)
    (project / "data" / "1" / "data.qpdata").write_bytes(b"\xac\xed\x00\x05w")
    with pytest.raises(ImageError, match=r"annotations cannot be read from .*data\.qpdata: it ends"):
        regions(project)
    shutil.rmtree(project)
    with pytest.raises(ImageError, match="there is no QuPath project"):
        regions(project)


def test_the_mark_changes_with_the_regions_alone(project):
    image = project.parent / "OMETIFF" / "tiny.ome.tiff"
    draw(project, drawn(name="one"))
    before = ProjectRegions(project, image).mark
    edit = Edit(project / "data" / "1" / "data.qpdata")
    next(iter(edit.cells().values())).contents[0] = "a cell"
    edit.save()
    assert ProjectRegions(project, image).mark == before
    draw(project, drawn(number=2, name="two", region=rectangle(40, 40, 50, 50)))
    assert ProjectRegions(project, image).mark != before


def test_an_entry_of_the_same_place_comes_before_one_of_the_same_name(project):
    file = project / "project.qpproj"
    document = json.loads(file.read_text(encoding="utf-8"))
    (entry,) = document["images"]
    here = (project.parent / "OMETIFF" / "tiny.ome.tiff").as_uri().replace("file:///", "file:/")
    builders = [{**entry["serverBuilder"], "uri": uri} for uri in ("file:/elsewhere/tiny.ome.tiff", here)]
    document["images"] = [
        {**entry, "entryID": 7, "serverBuilder": builders[0]},
        {**entry, "serverBuilder": builders[1]},
    ]
    file.write_text(json.dumps(document), encoding="utf-8")
    draw(project, drawn(name="mine"))
    assert regions(project).names == ("mine",)
