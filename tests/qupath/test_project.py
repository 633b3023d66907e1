"""A project is QuPath's own, and what a person did in it stays."""

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest

from cellscale.cells.object_batches import ObjectKind
from cellscale.cells.text import Dialect
from cellscale.errors import StorageError
from cellscale.images.info import Channel, ImageInfo, PixelSize
from cellscale.images.open import open_image
from cellscale.qupath.entry.entry_data import EntryData, write_entry
from cellscale.qupath.project import place_images, update_project
from cellscale.storage.uri import read_bytes
from tests.cli.runs import contents
from tests.qupath.data_reader import read_data_file
from tests.qupath.golden import CASES, VERSIONS, batch_of, columns_of, golden_data, golden_project

DIALECTS = {"0.5.1": Dialect.V0_5, "0.7.0": Dialect.V0_7}
HOSTILE = [
    "a b.tiff",
    "50%.tiff",
    "x#1?.tiff",
    "it's <b>&\"=.tiff",
    "größe µ.tiff",
    "\U0001f9eb.tiff",
    ":;@+$,![].tiff",
]


def info_of(path: Path, **changes) -> ImageInfo:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    channels = (Channel(0, "DAPI"), Channel(1, "CD45"))
    facts = {"height": 40, "width": 30, "dtype": np.dtype(np.uint8), "channels": channels} | changes
    return ImageInfo(name=path.name.partition(".")[0], uri=str(path), **facts)


def build(project: Path, infos, *, objects=(), dialect=Dialect.V0_7, now=1):
    """Write a project as the pipeline does; return whether its file changed."""
    images = place_images(project, infos)
    columns = columns_of(objects)
    for image in images:
        facts = EntryData(
            image=image,
            kind=ObjectKind.CELL if not objects or objects[0].kind == "PathCellObject" else ObjectKind.DETECTION,
            count=len(objects),
            root_id="0" * 36,
            columns=columns,
            dialect=dialect,
            thumbnail=b"jpeg",
        )
        write_entry(project, facts, [batch_of(objects, columns)] if objects else [], now)
    return update_project(project, images, dialect, now)


def read(project: Path):
    return json.loads((project / "project.qpproj").read_bytes())


def edit(project: Path, change):
    """Change the document as another program would."""
    document = read(project)
    change(document)
    (project / "project.qpproj").write_text(json.dumps(document))


def tree(folder: Path):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def golden_image(shared: Path, case: str) -> Path:
    if case == "BreastMIBI":
        return shared / "data" / "workspace" / "OMETIFF" / "BreastMIBI.ome.tiff"
    (path,) = (shared / "qupath" / "golden" / case / "OMETIFF").iterdir()
    return path


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_text_files_are_byte_for_byte_qupaths(shared, tmp_path, case, version):
    path = golden_image(shared, case)
    with open_image(path) as image:
        info = image.info
    build(tmp_path, [info], objects=golden_data(shared, case, version).objects, dialect=DIALECTS[version])

    def masked(file: Path) -> str:
        text = re.sub(r'"(file:)[^"]*/', r'"\1/', file.read_text("utf-8"))
        text = re.sub(r'((?:T|t)imestamp": ?)\d+', r"\g<1>0", text)
        return re.sub(r'("randomizedName": )"[0-9a-f-]{36}"', r'\1""', text)

    theirs = golden_project(shared, case, version)
    for name in ("project.qpproj", "data/1/server.json", "data/1/summary.json"):
        assert masked(tmp_path / name) == masked(theirs / name)
    names = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    ours_alone = {"data/1/cellscale.json", "project.qpproj.backup", "data/1/thumbnail.jpg"}
    expected = {str(file.relative_to(theirs)) for file in theirs.rglob("*") if file.is_file()}
    assert names | ours_alone == expected | ours_alone
    assert list((tmp_path / "classifiers").iterdir()) == []
    if version == "0.7.0":
        assert (tmp_path / "data/metadata.json").read_bytes() == (theirs / "data/metadata.json").read_bytes()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_data_file_names_image_and_project(shared, tmp_path, version):
    theirs = golden_data(shared, "tiny", version)
    with open_image(golden_image(shared, "tiny")) as image:
        build(tmp_path, [image.info], objects=theirs.objects, dialect=DIALECTS[version])
        uri = f"file:{image.info.uri}"
    ours = read_data_file((tmp_path / "data/1/data.qpdata").read_bytes())
    assert ours.properties == {"PROJECT_ENTRY_ID": f"{tmp_path}/project.qpproj::1"}
    assert ours.header["server"].pop("uri") == uri
    assert ours.header.pop("id") == f"BioFormatsImageServer: {uri}[--series, 0]"
    del theirs.header["server"]["uri"], theirs.header["id"]
    assert ours.header == theirs.header


def test_a_second_run_changes_nothing(shared, tmp_path):
    infos = [info_of(tmp_path / "OMETIFF" / name) for name in HOSTILE]
    objects = golden_data(shared, "tiny", "0.7.0").objects
    assert build(tmp_path / "PROJ", infos, objects=objects, now=1)
    before = tree(tmp_path)
    assert not build(tmp_path / "PROJ", infos, objects=objects, now=2)
    assert not build(tmp_path / "PROJ", infos[::-1], objects=objects, now=3)
    assert tree(tmp_path) == before


def test_names_survive(tmp_path):
    infos = [info_of(tmp_path / "OMETIFF" / name) for name in HOSTILE]
    build(tmp_path / "PROJ", infos)
    assert [entry["imageName"] for entry in read(tmp_path / "PROJ")["images"]] == HOSTILE
    text = (tmp_path / "PROJ" / "project.qpproj").read_text("utf-8")
    assert not re.search(r'"uri": "[^"]*[^\x21-\x7e][^"]*"', text)
    places = place_images(tmp_path / "PROJ", infos)
    assert [place.entry_id for place in places] == list(range(1, len(HOSTILE) + 1))


def test_a_new_image_keeps_the_others(tmp_path):
    first, second = (info_of(tmp_path / "OMETIFF" / name) for name in ("a.tiff", "b.tiff"))
    project = tmp_path / "PROJ"
    build(project, [first])

    def annotate(document):
        document["images"][0] |= {"imageName": "mine", "description": "d", "metadata": {"k": "v"}, "tags": ["t"]}
        document["images"][0]["unknown"] = {"x": [1, 2.5]}
        document["lastID"] = 7
        document["extra"] = True

    edit(project, annotate)
    before = read(project)
    text = (project / "project.qpproj").read_bytes()
    assert build(project, [second], now=5)
    after = read(project)
    assert after["images"][0] == before["images"][0]
    assert after["images"][1]["entryID"] == after["lastID"] == 8
    assert {key: after[key] for key in before if key not in ("images", "lastID")} == {
        key: before[key] for key in before if key not in ("images", "lastID")
    }
    assert (project / "project.qpproj.backup").read_bytes() == text
    assert (project / "data" / "8" / "data.qpdata").exists()


def test_replacing_an_image_keeps_its_names_and_colors(tmp_path):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    project = tmp_path / "PROJ"
    build(project, [info])

    def annotate(document):
        entry = document["images"][0]
        entry["imageName"] = "renamed"
        entry["serverBuilder"]["metadata"]["channels"][0] = {"name": "Nuclei", "color": 7}
        entry["serverBuilder"]["metadata"]["magnification"] = 20.0

    edit(project, annotate)
    before = read(project)
    assert not build(project, [info])
    assert build(project, [replace(info, width=31)])
    before["images"][0]["serverBuilder"]["metadata"] |= {
        "width": 31,
        "preferredTileWidth": 31,
        "levels": [{"downsample": 1.0, "width": 31, "height": 40}],
    }
    assert read(project) == before
    build(project, [replace(info, channels=info.channels[:1])])
    assert [channel["name"] for channel in read(project)["images"][0]["serverBuilder"]["metadata"]["channels"]] == [
        "DAPI"
    ]


def names_and_colors(project):
    channels = read(project)["images"][0]["serverBuilder"]["metadata"]["channels"]
    return [(channel["name"], channel["color"]) for channel in channels]


@pytest.mark.parametrize("is_old", [False, True], ids=["", "written by a cellscale that did not remember"])
def test_names_that_are_corrected_in_the_image_are_corrected_in_the_project(tmp_path, is_old):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    project = tmp_path / "PROJ"
    build(project, [info])
    red, green = (color for _, color in names_and_colors(project))
    if is_old:
        record = project / "data/1/cellscale.json"
        record.write_text(json.dumps({"written": json.loads(record.read_text())["written"]}))
    corrected = replace(info, channels=(Channel(0, "DAPI"), Channel(1, "CD8")))
    for dialect in (Dialect.V0_7, Dialect.V0_5):
        build(project, [corrected], dialect=dialect)
        assert names_and_colors(project) == [("DAPI", red), ("CD8", green)]

    def annotate(document):
        document["images"][0]["serverBuilder"]["metadata"]["channels"][1]["color"] = 7
        document["images"][0]["serverBuilder"]["metadata"]["channels"][0]["name"] = "Nuclei"

    edit(project, annotate)
    again = replace(info, channels=(Channel(0, "Hoechst"), Channel(1, "CD4")))
    build(project, [again])
    assert names_and_colors(project) == [("Nuclei", red), ("CD4", 7)]
    assert not build(project, [again])


def test_the_pixel_size_that_a_person_gave_stays(tmp_path):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff", pixel_size=PixelSize(0.5, 0.5))
    project = tmp_path / "PROJ"
    build(project, [info])
    calibration = {"pixelWidth": {"value": 0.25, "unit": "µm"}, "pixelHeight": {"value": 0.25, "unit": "µm"}}

    def annotate(document):
        document["images"][0]["serverBuilder"]["metadata"]["pixelCalibration"] |= calibration

    def found():
        return read(project)["images"][0]["serverBuilder"]["metadata"]["pixelCalibration"]["pixelWidth"]["value"]

    build(project, [replace(info, pixel_size=PixelSize(0.4, 0.4))])
    assert found() == 0.4
    edit(project, annotate)
    build(project, [replace(info, pixel_size=PixelSize(0.3, 0.3))])
    assert found() == 0.25


def test_an_uncalibrated_image_of_a_persons_project_gets_the_pixel_size(tmp_path):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    project = tmp_path / "PROJ"
    build(project, [info])
    (project / "data/1/cellscale.json").unlink()
    build(project, [replace(info, pixel_size=PixelSize(0.3, 0.3))])
    calibration = read(project)["images"][0]["serverBuilder"]["metadata"]["pixelCalibration"]
    assert calibration["pixelWidth"] == {"value": 0.3, "unit": "µm"}


def test_edited_objects_are_kept_beside_the_new_ones(shared, tmp_path):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    objects = golden_data(shared, "tiny", "0.7.0").objects
    project, folder = tmp_path / "PROJ", tmp_path / "PROJ" / "data" / "1"
    build(project, [info], objects=objects)
    build(project, [info], objects=objects[:5])
    assert not list(folder.glob("*edited*"))
    new = (folder / "data.qpdata").read_bytes()
    (folder / "data.qpdata").write_bytes(b"edited")
    build(project, [info], objects=objects[:5])
    assert (folder / "data.qpdata").read_bytes() == new
    (kept,) = folder.glob("data.qpdata.edited-*")
    assert kept.read_bytes() == b"edited"


def test_objects_of_another_program_are_kept(shared, tmp_path):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    (tmp_path / "PROJ" / "data" / "1").mkdir(parents=True)
    (tmp_path / "PROJ" / "data" / "1" / "data.qpdata").write_bytes(b"theirs")
    (tmp_path / "PROJ" / "data" / "1" / "cellscale.json").write_bytes(b"damaged")
    build(tmp_path / "PROJ", [info])
    (kept,) = (tmp_path / "PROJ" / "data" / "1").glob("data.qpdata.edited-*")
    assert kept.read_bytes() == b"theirs"


def test_a_moved_dataset_keeps_its_entries(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    infos = [info_of(old / "OMETIFF" / name) for name in ("a.tiff", "b.tiff")]
    elsewhere = info_of(tmp_path / "elsewhere" / "c.tiff")
    build(old / "PROJ", [*infos, elsewhere])
    shutil.move(old, new)
    moved = info_of(new / "OMETIFF" / "a.tiff")
    assert [image.entry_id for image in place_images(new / "PROJ", [moved])] == [1]
    assert build(new / "PROJ", [moved])
    after = read(new / "PROJ")
    assert after["uri"] == f"file:{new}/PROJ/project.qpproj"
    assert [entry["serverBuilder"]["uri"] for entry in after["images"]] == [
        f"file:{new}/OMETIFF/a.tiff",
        f"file:{new}/OMETIFF/b.tiff",
        f"file:{tmp_path}/elsewhere/c.tiff",
    ]


def test_a_project_copied_away_still_finds_its_images(tmp_path):
    info = info_of(tmp_path / "data" / "OMETIFF" / "a.tiff")
    build(tmp_path / "data" / "PROJ", [info])
    shutil.copytree(tmp_path / "data" / "PROJ", tmp_path / "copy" / "PROJ")
    build(tmp_path / "copy" / "PROJ", [info_of(tmp_path / "copy" / "OMETIFF" / "b.tiff")])
    uris = [entry["serverBuilder"]["uri"] for entry in read(tmp_path / "copy" / "PROJ")["images"]]
    assert uris == [f"file:{tmp_path}/data/OMETIFF/a.tiff", f"file:{tmp_path}/copy/OMETIFF/b.tiff"]


@pytest.mark.parametrize("written", ["gs://bucket/set/", "file:/bucket/set/"])
def test_a_project_from_the_cloud_goes_on_locally(tmp_path, written):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    build(tmp_path / "PROJ", [info])
    text = (tmp_path / "PROJ" / "project.qpproj").read_text().replace(f"file:{tmp_path}/", written)
    (tmp_path / "PROJ" / "project.qpproj").write_text(text)
    assert [image.entry_id for image in place_images(tmp_path / "PROJ", [info])] == [1]
    assert build(tmp_path / "PROJ", [info])
    after = read(tmp_path / "PROJ")
    assert after["uri"] == f"file:{tmp_path}/PROJ/project.qpproj"
    assert [entry["serverBuilder"]["uri"] for entry in after["images"]] == [f"file:{tmp_path}/OMETIFF/a.tiff"]


def test_images_of_one_name_in_one_bucket_are_two(tmp_path):
    local = info_of(tmp_path / "a.tiff")
    first, second = (replace(local, uri=f"memory://bucket/{patient}/a.tiff") for patient in ("one", "two"))
    build(tmp_path / "PROJ", [first])
    assert [image.entry_id for image in place_images(tmp_path / "PROJ", [first, second])] == [1, 2]


def test_an_image_is_listed_once_by_whatever_path_it_comes(tmp_path):
    info = info_of(tmp_path / "set" / "OMETIFF" / "a.tiff")
    (tmp_path / "link").symlink_to(tmp_path / "set")
    build(tmp_path / "set" / "PROJ", [info])
    before = tree(tmp_path / "set" / "PROJ")
    for folder in (tmp_path / "link", tmp_path / "set" / ".." / "set", tmp_path / "link" / ".." / "set"):
        build(folder / "PROJ", [replace(info, uri=str(folder / "OMETIFF" / "a.tiff"))])
        assert len(read(tmp_path / "set" / "PROJ")["images"]) == 1
        assert tree(tmp_path / "set" / "PROJ")[Path("project.qpproj")] == before[Path("project.qpproj")]


@pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")
def test_a_path_with_two_slashes_names_no_host(tmp_path):
    info = info_of(tmp_path / "a.tiff")
    build(tmp_path / "PROJ", [replace(info, uri=f"/{info.uri}")])
    assert read(tmp_path / "PROJ")["images"][0]["serverBuilder"]["uri"] == f"file:{info.uri}"


def test_an_image_that_moved_alone_is_known_by_its_name(tmp_path):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    build(tmp_path / "PROJ", [info])
    other = info_of(tmp_path / "elsewhere" / "a.tiff")
    assert place_images(tmp_path / "PROJ", [other])[0].entry_id == 2
    (tmp_path / "OMETIFF" / "a.tiff").unlink()
    assert place_images(tmp_path / "PROJ", [other])[0].entry_id == 1
    assert place_images(tmp_path / "PROJ", [replace(other, series=1)])[0].entry_id == 2


def test_a_rotated_view_of_an_image_is_another_entry(tmp_path):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    build(tmp_path / "PROJ", [info])

    def rotate(document):
        entry = document["images"][0]
        entry["serverBuilder"] = {
            "builderType": "rotated",
            "builder": entry["serverBuilder"],
            "rotation": "ROTATE_90",
        }

    edit(tmp_path / "PROJ", rotate)
    assert place_images(tmp_path / "PROJ", [info])[0].entry_id == 2


@pytest.mark.parametrize(
    "content",
    ["", '{"version": "0.7.0", "images": [', "[]", "{}", '{"images": [1]}', '{"version": "v0.2.0-m1", "images": []}'],
)
def test_a_damaged_project_is_left_alone(tmp_path, content):
    info = info_of(tmp_path / "OMETIFF" / "a.tiff")
    (tmp_path / "PROJ").mkdir()
    (tmp_path / "PROJ" / "project.qpproj").write_text(content)
    before = tree(tmp_path)
    with pytest.raises(StorageError, match=r"project\.qpproj is no QuPath project that can be extended"):
        place_images(tmp_path / "PROJ", [info])
    with pytest.raises(StorageError, match="It was left as it is"):
        update_project(tmp_path / "PROJ", [], Dialect.V0_7, 1)
    assert tree(tmp_path) == before


def test_images_added_meanwhile_are_not_overwritten(tmp_path):
    first, second = (info_of(tmp_path / "OMETIFF" / name) for name in ("a.tiff", "b.tiff"))
    places = place_images(tmp_path / "PROJ", [first])
    build(tmp_path / "PROJ", [second])
    with pytest.raises(StorageError, match="changed by another program"):
        update_project(tmp_path / "PROJ", places, Dialect.V0_7, 1)
    assert [entry["imageName"] for entry in read(tmp_path / "PROJ")["images"]] == ["b.tiff"]


def test_images_that_failed_leave_a_gap(tmp_path):
    infos = [info_of(tmp_path / "OMETIFF" / f"{name}.tiff") for name in "abc"]
    places = place_images(tmp_path / "PROJ", infos)
    update_project(tmp_path / "PROJ", [places[0], places[2]], Dialect.V0_7, 1)
    assert [entry["entryID"] for entry in read(tmp_path / "PROJ")["images"]] == [1, 3]
    assert [place.entry_id for place in place_images(tmp_path / "PROJ", infos)] == [1, 4, 3]


def test_projects_in_object_stores(shared, tmp_path):
    folder = "memory://bucket/data set/PROJ"
    info = replace(info_of(tmp_path / "a b.tiff"), uri="memory://bucket/data set/OMETIFF/a b.tiff")
    objects = golden_data(shared, "tiny", "0.7.0").objects
    try:
        assert build(folder, [info], objects=objects)
        assert not build(folder, [info], objects=objects)
        project = json.loads(read_bytes(f"{folder}/project.qpproj"))
        data = read_data_file(read_bytes(f"{folder}/data/1/data.qpdata"))
    finally:
        fsspec.filesystem("memory").rm("/bucket", recursive=True)
    assert project["uri"] == "file:/bucket/data%20set/PROJ/project.qpproj"
    assert project["images"][0]["serverBuilder"]["uri"] == "file:/bucket/data%20set/OMETIFF/a%20b.tiff"
    assert data.properties == {"PROJECT_ENTRY_ID": f"{folder}/project.qpproj::1"}
    assert len(data.objects) == len(objects)


def test_images_one_after_another_make_the_file_that_all_at_once_make(tmp_path):
    infos = [info_of(tmp_path / "images" / f"{number}.tiff") for number in range(9)]
    file = tmp_path / "project" / "project.qpproj"
    file.parent.mkdir()
    update_project(file.parent, place_images(file.parent, infos), Dialect.V0_7, 5)
    together = contents(file.parent)
    shutil.rmtree(file.parent)
    file.parent.mkdir()
    for info in infos:
        update_project(file.parent, place_images(file.parent, [info]), Dialect.V0_7, 5)
    assert contents(file.parent) == together
    assert "project.qpproj.backup" in together


def test_the_backup_is_the_project_before_the_last_image_that_changed_it(tmp_path):
    infos = [info_of(tmp_path / "images" / f"{number}.tiff") for number in range(4)]
    folder = tmp_path / "project"
    folder.mkdir()
    update_project(folder, place_images(folder, infos[:1]), Dialect.V0_7, 5)
    first = contents(folder)
    assert "project.qpproj.backup" not in first
    update_project(folder, place_images(folder, infos[:2]), Dialect.V0_7, 5)
    second = contents(folder)
    assert second["project.qpproj.backup"] == first["project.qpproj"]
    assert not update_project(folder, place_images(folder, infos[:2]), Dialect.V0_7, 5)
    assert contents(folder) == second
    places = place_images(folder, infos[1:])
    update_project(folder, places[:2], Dialect.V0_7, 5)
    third = contents(folder)["project.qpproj"]
    update_project(folder, places, Dialect.V0_7, 5)
    assert contents(folder)["project.qpproj.backup"] == third


def test_what_another_program_changes_between_two_images_stays(tmp_path):
    infos = [info_of(tmp_path / "images" / f"{number}.tiff") for number in range(3)]
    file = tmp_path / "project" / "project.qpproj"
    file.parent.mkdir()
    for info in infos[:2]:
        update_project(file.parent, place_images(file.parent, [info]), Dialect.V0_7, 5)
    project = json.loads(file.read_text(encoding="utf-8"))
    project["images"][0]["imageName"] = "renamed"
    file.write_text(json.dumps(project), encoding="utf-8")
    update_project(file.parent, place_images(file.parent, infos[2:]), Dialect.V0_7, 5)
    names = [entry["imageName"] for entry in json.loads(file.read_text(encoding="utf-8"))["images"]]
    assert names == ["renamed", "1.tiff", "2.tiff"]


def test_what_other_images_have_is_not_overwritten_where_the_list_of_images_was_lost(tmp_path):
    infos = [info_of(tmp_path / "OMETIFF" / name) for name in ("a.tiff", "b.tiff")]
    build(tmp_path / "PROJ", infos)
    before = (tmp_path / "PROJ" / "data" / "1" / "server.json").read_bytes()
    (tmp_path / "PROJ" / "project.qpproj").unlink()
    (place,) = place_images(tmp_path / "PROJ", infos[1:])
    assert place.entry_id == 3
    (place,) = place_images(tmp_path / "PROJ", infos[1:], number=2)
    assert place.entry_id == 2
    (place,) = place_images(tmp_path / "PROJ", infos[:1])
    assert place.entry_id == 1
    assert (tmp_path / "PROJ" / "data" / "1" / "server.json").read_bytes() == before
