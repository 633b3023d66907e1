"""What is not worked on is named; images of sub-folders are found on request."""

import fsspec
import pytest

from cellscale.errors import StorageError
from cellscale.storage import uri
from cellscale.workspace import subfolders
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import separate_paths, workspace_paths
from cellscale.workspace.subfolders import left_out


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "OMETIFF").mkdir()
    return tmp_path


def add(dataset, *names):
    for name in names:
        path = dataset / "OMETIFF" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("zarr") else path.write_bytes(b"12345")


def names(dataset, **options):
    return [entry.name for entry in discover(workspace_paths(dataset), **options)]


def test_sub_folders_and_other_files_are_named(dataset):
    add(dataset, "a.tif", "b.ome.zarr", "slide 1/c.tif", "slide 2/d.tif", "e.czi", "markers.csv")
    add(dataset, ".hidden", "~$f.tif", ".cache/g.tif")
    folders, files = left_out(workspace_paths(dataset))
    assert folders.startswith("2 sub-folders (slide 1, slide 2) in ")
    assert "--recursive" in folders
    assert files.startswith("1 file (e.czi) in ")
    assert ".ome.tiff" in files
    assert left_out(workspace_paths(dataset), recursive=True) == (files,)


def test_nothing_is_said_where_nothing_is_left_out(dataset):
    add(dataset, "a.tif", "b.ome.zarr", "C.TIFF")
    assert left_out(workspace_paths(dataset)) == ()
    assert left_out(workspace_paths(dataset / "none")) == ()


def test_many_are_counted(dataset):
    add(dataset, *(f"{number:03}.czi" for number in range(300)))
    (text,) = left_out(workspace_paths(dataset))
    assert text.startswith("300 files (000.czi, 001.czi, 002.czi, 003.czi, 004.czi and 295 more)")


def test_links_that_lead_nowhere_are_named(dataset):
    add(dataset, "a.tif")
    (dataset / "OMETIFF" / "slides").symlink_to(dataset / "unmounted")
    (text,) = left_out(workspace_paths(dataset))
    assert "slides (it is a link to" in text
    assert "does not exist" in text
    (dataset / "OMETIFF" / "b.tif").symlink_to(dataset / "gone.tif")
    problems = {entry.name: entry.problem for entry in discover(workspace_paths(dataset))}
    assert "link to" in problems["b"]


def test_what_cannot_be_looked_at_is_named_and_stops_nothing(dataset, monkeypatch):
    add(dataset, "a.tif", "b.tif", "locked", "s1/c.tif", "s2/d.tif")

    def refusing(path):
        if path.name in ("b.tif", "locked"):
            raise PermissionError(13, "Permission denied", str(path))

    listed = subfolders.listing

    def refused(folder):
        if str(folder).endswith("s2"):
            raise StorageError(f"cannot list {folder}: permission denied")
        return listed(folder)

    monkeypatch.setattr(uri, "oddity", refusing)
    monkeypatch.setattr(subfolders, "listing", refused)
    problems = {entry.name: entry.problem for entry in discover(workspace_paths(dataset), recursive=True)}
    assert problems["a"] is None
    assert problems["s1_c"] is None
    assert "b.tif cannot be read: it cannot be looked at: Permission denied" in problems["b"]
    (text,) = left_out(workspace_paths(dataset), recursive=True)
    assert "2 files (locked (it cannot be looked at: Permission denied), s2 (cannot list " in text


def test_images_of_sub_folders_are_called_by_their_path(dataset):
    add(dataset, "a.tif", "s1/roi.ome.tif", "s2/roi.ome.tif", "s2/deep/b.ome.zarr", "s2/deep/b.ome.zarr/0/c.tif")
    assert names(dataset) == ["a"]
    assert names(dataset, recursive=True) == ["a", "s1_roi", "s2_deep_b", "s2_roi"]
    assert names(dataset, recursive=True, image_filter="s2_") == ["s2_deep_b", "s2_roi"]
    entries = {entry.name: entry.image for entry in discover(workspace_paths(dataset), recursive=True)}
    assert entries["s2_roi"] == dataset / "OMETIFF" / "s2" / "roi.ome.tif"


def test_paths_that_give_one_name_are_a_problem(dataset):
    add(dataset, "s1_roi.tif", "s1/roi.tif", "z.tif")
    problems = {entry.name: entry.problem for entry in discover(workspace_paths(dataset), recursive=True)}
    assert "2 files would have the same outputs" in problems["s1_roi"]
    assert problems["z"] is None


def test_outputs_in_sub_folders_are_no_images(dataset):
    add(dataset, "a.tif", "s1/b.tif", "masks/a_WholeCellMask.tiff", "tables/x.tif")
    images = dataset / "OMETIFF"
    paths = separate_paths(images=images, segmasks=images / "masks", reports=images / "tables")
    assert [entry.name for entry in discover(paths, recursive=True)] == ["a", "s1_b"]
    assert "1 sub-folder (s1)" in left_out(paths)[0]


def test_a_link_to_a_folder_above_ends(dataset):
    add(dataset, "s1/a.tif")
    (dataset / "OMETIFF" / "s1" / "back").symlink_to(dataset / "OMETIFF")
    assert names(dataset, recursive=True) == ["s1_a"]


def test_sub_folders_of_an_object_store_are_found():
    fs = fsspec.filesystem("memory")
    for name in ("a.tif", "s1/b.tif", "s1/t/c.tif"):
        fs.pipe_file(f"/recursive/OMETIFF/{name}", b"x")
    try:
        found = discover(workspace_paths("memory://recursive"), recursive=True)
        assert [entry.name for entry in found] == ["a", "s1_b", "s1_t_c"]
        assert found[2].image == "memory://recursive/OMETIFF/s1/t/c.tif"
        assert "1 sub-folder (s1)" in left_out(workspace_paths("memory://recursive"))[0]
    finally:
        fs.rm("/recursive", recursive=True)
