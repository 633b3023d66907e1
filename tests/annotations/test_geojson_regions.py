"""GeoJSON of QuPath and of others is read; what is no region of the image is refused, by name."""

import json

import numpy as np
import pytest
import shapely

from cellscale.annotations import RegionFile, read_geojson, wanted_area
from cellscale.errors import ImageError
from cellscale.regions import Region

SQUARE = {"type": "Polygon", "coordinates": [[[10, 20], [40, 20], [40, 60], [10, 60], [10, 20]]]}
BOW = {"type": "Polygon", "coordinates": [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]}


def feature(geometry=SQUARE, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read(content):
    return read_geojson(json.dumps(content).encode(), "drawn.geojson")


@pytest.mark.parametrize(
    "content",
    [
        SQUARE,
        feature(),
        [feature()],
        {"type": "FeatureCollection", "features": [feature()]},
        feature({"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}),
        feature({"type": "GeometryCollection", "geometries": [SQUARE]}),
    ],
)
def test_polygons_are_read_from_all_forms(content):
    regions = read(content)
    assert regions.names == ("Region",)
    assert regions.union.area == 30 * 40


def test_regions_are_called_by_their_name_or_class_and_told_apart():
    classified = {"classification": {"name": "Tumor", "color": [200, 0, 0]}}
    named = [feature(name="A-1", objectType="tma_core"), feature(**classified), feature(**classified)]
    assert read([*named, feature(classification={"names": ["Tumor", "Edge"]})]).names == (
        "A-1", "Tumor", "Tumor (2)", "Tumor: Edge",
    )  # fmt: skip


def test_a_point_with_a_radius_is_a_circle():
    circle = read(feature({"type": "Point", "coordinates": [100, 50]}, radius=20)).union
    assert circle.area == pytest.approx(np.pi * 400, rel=1e-3)
    assert circle.bounds == (80, 30, 120, 70)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "FeatureCollection"),
        ({"type": "Topology"}, "'Topology' found"),
        ({"type": "FeatureCollection", "features": []}, "no region in it"),
        (
            {"type": "FeatureCollection", "features": [feature()], "crs": {"type": "name"}},
            "coordinate system of its own",
        ),
        (
            {
                "type": "FeatureCollection",
                "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}},
            },
            "(crs: urn:ogc:def:crs:EPSG::3857)",
        ),
        (feature(BOW, name="bow"), "'bow' is not valid"),
        (feature({"type": "Polygon", "coordinates": []}), "has no area"),
        (feature({"type": "Polygon", "coordinates": [[[0, 0], [5, 5], [0, 0], [0, 0]]]}), "has no area"),
        (feature({"type": "Polygon", "coordinates": [[[9, 0], [9, 5], [9, 8], [9, 0]]]}), "has no area"),
        (feature({"type": "LineString", "coordinates": [[0, 0], [5, 5]]}), "a LineString"),
        (feature({"type": "Point", "coordinates": [5, 5]}), "without a radius"),
        (feature({"type": "Point", "coordinates": [5, 5]}, radius=10**400), "without a radius"),
        (feature({"type": "Polygon", "coordinates": "all"}), "no numbers"),
        (feature({"type": "Polygon", "coordinates": [[["a", 0], [1, 5], [5, 5], ["a", 0]]]}), "no numbers"),
        (feature({"type": "Polygon", "coordinates": [[[0, 0], [1e400, 5], [5, 5], [0, 0]]]}), "no numbers"),
        (feature({"type": "Polygon", "coordinates": [[[0, 0], [10**400, 5], [5, 5], [0, 0]]]}), "no numbers"),
        (feature({"type": "Polygon", "coordinates": [[[0], [1], [5], [0]]]}), "cannot be read"),
        (feature(None), "without geometry"),
        (feature(objectType="cell"), "type 'cell'; annotations are expected"),
    ],
)
def test_what_is_no_sound_region_is_refused_by_name(content, words):
    with pytest.raises(ImageError, match=r"drawn\.geojson") as refused:
        read(content)
    assert words in str(refused.value)


def test_what_is_no_json_is_refused():
    with pytest.raises(ImageError, match=r"drawn\.geojson: it is no JSON"):
        read_geojson(b"\xff\xfe{", "drawn.geojson")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "slide.geojson").write_text(json.dumps(feature(name="A")), encoding="utf-8")
    inner = {"type": "Polygon", "coordinates": [[[10, 20], [20, 20], [20, 60], [10, 60], [10, 20]]]}
    (tmp_path / "folds.geojson").write_text(json.dumps(feature(inner)), encoding="utf-8")
    return tmp_path


def area(regions=None, exclude=None, image="slide", shape=(100, 100)):
    files = [None if place is None else RegionFile(str(place), image).read() for place in (regions, exclude)]
    return wanted_area(*files, shape)


def test_a_folder_has_a_file_for_each_image_and_what_is_left_out_is_not_in_it(folder):
    found = area(folder, folder / "folds.geojson")
    assert found.areas() == [20 * 40]
    points = np.array([[15.0, 30.0], [30.0, 30.0], [50.0, 30.0]])
    np.testing.assert_array_equal(found.indices(points), [-1, 0, -1])
    assert found.part(Region(0, 0, 100, 100)) == Region(20, 20, 60, 40)
    assert found.part(Region(70, 0, 100, 100)) is None


def test_without_regions_all_of_the_image_is_wanted_but_what_is_left_out(folder):
    assert area() is None
    found = area(exclude=folder / "folds.geojson")
    assert (found.names, found.areas()) == (("Image",), [100 * 100 - 10 * 40])


def test_an_image_without_regions_is_told(folder):
    with pytest.raises(ImageError, match=r"other\.geojson: there is no such file of regions"):
        area(folder, image="other")


def test_regions_outside_the_image_are_told_with_both_sizes(folder):
    with pytest.raises(ImageError, match=r"'A' reaches from x 10 to 40 and y 20 to 60, outside the image of 9 x 8"):
        area(folder, shape=(8, 9))


def test_nothing_may_be_left(folder):
    with pytest.raises(ImageError, match="nothing is left"):
        area(folder, folder)


def test_a_region_that_sticks_out_of_the_image_is_cut(folder):
    assert shapely.box(10, 20, 30, 50).equals(area(folder, shape=(50, 30)).geometry)


def test_regions_have_the_id_the_class_and_the_colour_that_qupath_gave_them():
    known = "01234567-89ab-4def-8123-456789abcdef"
    (region,) = read({**feature(classification={"name": "Tumor", "color": [200, 0, 0]}), "id": known}).regions
    assert (region.object_id, region.title, region.path_class, region.color) == (known, None, "Tumor", (200, 0, 0))
    assert region.shown_name == "Annotation (Tumor)"
    assert read(feature(name="A-1", classification="Tumor")).regions[0].shown_name == "A-1"
    assert read(feature()).regions[0].shown_name == "Annotation"
