"""Which files are images, and what is said when there are none."""

import os
import sys

import fsspec
import pytest

from cellscale.errors import RequestError
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import mask_name, separate_paths, workspace_paths


@pytest.fixture
def dataset(tmp_path):
    for folder in ("OMETIFF", "NPZ_INTERMEDIATE"):
        (tmp_path / folder).mkdir()
    return tmp_path


def add(dataset, *names, folder="OMETIFF"):
    for name in names:
        path = dataset / folder / name
        if name.endswith(".zarr"):
            path.mkdir()
        else:
            path.write_bytes(b"12345")


def names(dataset, image_filter=""):
    return [entry.name for entry in discover(workspace_paths(dataset), image_filter)]


def test_images_are_listed_by_name_without_their_suffix(dataset):
    add(dataset, "c.TIF", "a.ome.tiff", "b.x.tiff", "d.OME.TIF", "e.ome.zarr", "f.zarr", "größe µ.ome.tif")
    assert names(dataset) == ["a", "b.x", "c", "d", "e", "f", "größe µ"]


def test_big_tiffs_and_scans_of_akoya_are_images(dataset):
    add(dataset, "a.qptiff", "b.ome.btf", "c.BTF", "d.tf2", "e.ome.tf8", "f.ome.qptiff", "g.btf.txt")
    assert names(dataset) == ["a", "b", "c", "d", "e", "f"]


def test_other_hidden_and_temporary_files_are_no_images(dataset):
    add(
        dataset, "a.tif", ".b.tif", "._a.tif", "~$c.tif", "notes.txt", "d.tif.part", "e.tiff~", "tif", ".tif", "f.png"
    )
    assert names(dataset) == ["a"]


def test_what_is_not_what_its_name_says_is_a_problem_of_its_own(dataset):
    add(dataset, "a.tif")
    (dataset / "OMETIFF" / "folder.tif").mkdir()
    (dataset / "OMETIFF" / "file.zarr").write_bytes(b"")
    problems = {entry.name: entry.problem or "" for entry in discover(workspace_paths(dataset))}
    assert problems["a"] == ""
    assert "folder.tif cannot be read: it is a folder" in problems["folder"]
    assert "file.zarr cannot be read: it is a file" in problems["file"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("folder", ["OMETIFF", "NPZ_INTERMEDIATE"])
def test_a_name_that_is_not_utf8_is_escaped_and_a_problem_of_its_image_alone(dataset, folder):
    add(dataset, "a.tif", "z.tif")
    (dataset / folder / os.fsdecode(b"pr\xe4p.npz" if "NPZ" in folder else b"pr\xe4p.tif")).write_bytes(b"12345")
    entries = discover(workspace_paths(dataset))
    assert [entry.name for entry in entries] == ["a", r"pr\udce4p", "z"]
    assert [entry.problem is None for entry in entries] == [True, False, True]
    assert "is not UTF-8" in entries[1].problem
    assert "rename" in entries[1].problem
    repr(entries).encode()
    assert discover(workspace_paths(dataset), "pr")[0] == entries[1]


def test_an_entry_says_where_the_files_are(dataset):
    add(dataset, "a.ome.tiff", "b.tif")
    add(dataset, "a.npz", folder="NPZ_INTERMEDIATE")
    first, second = discover(workspace_paths(dataset))
    assert first.image == dataset / "OMETIFF" / "a.ome.tiff"
    assert first.npz == dataset / "NPZ_INTERMEDIATE" / "a.npz"
    assert (first.size, first.problem) == (5, None)
    assert second.npz is None


def test_the_marker_changes_with_either_file(dataset):
    add(dataset, "a.tif")
    add(dataset, "a.npz", folder="NPZ_INTERMEDIATE")
    seen = set()
    for path in (None, dataset / "OMETIFF" / "a.tif", dataset / "NPZ_INTERMEDIATE" / "a.npz"):
        if path:
            os.utime(path, (1, len(seen)))
        seen.add(discover(workspace_paths(dataset))[0].marker)
    assert len(seen) == 3


def test_an_npz_file_alone_is_an_image(dataset):
    add(dataset, "b.tif")
    add(dataset, "a.npz", folder="NPZ_INTERMEDIATE")
    first, second = discover(workspace_paths(dataset))
    assert (first.name, first.image, first.size) == ("a", None, 5)
    assert second.name == "b"


def test_npz_files_serve_without_a_folder_of_images(dataset):
    add(dataset, "a.npz", folder="NPZ_INTERMEDIATE")
    (dataset / "OMETIFF").rmdir()
    assert names(dataset) == ["a"]


def test_a_missing_npz_folder_is_no_problem(dataset):
    add(dataset, "a.tif")
    (dataset / "NPZ_INTERMEDIATE").rmdir()
    assert names(dataset) == ["a"]


def test_two_files_of_one_name_are_a_problem_of_that_image_only(dataset):
    add(dataset, "a.tif", "a.ome.tiff", "b.tif")
    first, second = discover(workspace_paths(dataset))
    assert "a.ome.tiff, a.tif" in first.problem
    assert "rename" in first.problem
    assert second.problem is None


def test_the_filter_takes_names_that_begin_so(dataset):
    add(dataset, "A1.tif", "A2.tif", "B1.tif", "a3.tif")
    assert names(dataset, "A") == ["A1", "A2"]
    assert names(dataset, "B1") == ["B1"]


def test_a_filter_that_takes_none_tells_which_names_there_are(dataset):
    add(dataset, *(f"image{index:03}.tif" for index in range(30)))
    with pytest.raises(RequestError, match=r"begins with 'X'.*image000, image001.*image019 and 10 more"):
        discover(workspace_paths(dataset), "X")


def test_an_empty_folder_tells_what_is_expected(dataset):
    add(dataset, "notes.txt")
    with pytest.raises(RequestError, match=r"no image in .*OMETIFF; expected OME-TIFF"):
        discover(workspace_paths(dataset))


def test_a_missing_folder_tells_what_is_expected(tmp_path):
    with pytest.raises(RequestError, match=r"no folder .*OMETIFF; expected one with OME-TIFF"):
        discover(workspace_paths(tmp_path / "nowhere"))


def test_a_file_instead_of_a_folder_is_named(tmp_path):
    (tmp_path / "OMETIFF").write_text("")
    with pytest.raises(RequestError, match="OMETIFF"):
        discover(workspace_paths(tmp_path))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read every folder")
def test_an_unreadable_folder_is_named(dataset):
    folder = dataset / "OMETIFF"
    folder.chmod(0)
    try:
        with pytest.raises(RequestError, match="OMETIFF: permission denied"):
            discover(workspace_paths(dataset))
    finally:
        folder.chmod(0o700)


def test_a_refused_folder_is_explained(dataset, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(RequestError, match="permission denied"):
        discover(workspace_paths(dataset))


def test_masks_beside_the_images_are_no_images(dataset):
    folder = dataset / "OMETIFF"
    add(dataset, "a.tif", mask_name("a", "nuclear"), mask_name("a", "whole-cell"))
    (dataset / "link").symlink_to(folder)
    for other in (folder, dataset / "link", folder / ".." / "OMETIFF", f"{folder}/"):
        assert [entry.name for entry in discover(separate_paths(images=folder, segmasks=other))] == ["a"]


def test_images_in_a_store_are_found_as_well():
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/dataset/OMETIFF/a.ome.tif", b"123")
    fs.pipe_file("/dataset/OMETIFF/b.zarr/zarr.json", b"{}")
    fs.pipe_file("/dataset/NPZ_INTERMEDIATE/a.npz", b"1")
    first, second = discover(workspace_paths("memory://dataset"))
    assert (first.image, first.size) == ("memory://dataset/OMETIFF/a.ome.tif", 3)
    assert first.npz == "memory://dataset/NPZ_INTERMEDIATE/a.npz"
    assert second.name == "b"
