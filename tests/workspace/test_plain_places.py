"""Plain files and folders of images as datasets."""

import pytest

from cellscale.errors import RequestError
from cellscale.workspace.layout import workspace_paths
from cellscale.workspace.plain_places import dataset_paths, plain_dataset


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.ome.tiff", "b.tif"):
        (folder / name).touch()
    return folder


def test_outputs_of_a_folder_of_images_lie_in_it(folder):
    paths, files = plain_dataset([str(folder)])
    assert files == ()
    assert paths.images == folder
    assert (paths.segmasks, paths.reports) == (folder / "SEGMASK", folder / "REPORTS")
    assert (paths.project, paths.jobs) == (folder / "PROJ", folder / "jobs")


def test_outputs_of_files_lie_beside_them(folder):
    paths, files = plain_dataset([str(folder / "a.ome.tiff"), str(folder / "b.tif")])
    assert files == ("a.ome.tiff", "b.tif")
    assert paths == plain_dataset([str(folder)])[0]


def test_an_ome_zarr_is_an_image_and_no_folder_of_images(tmp_path):
    (tmp_path / "x.ome.zarr").mkdir()
    paths, files = plain_dataset([f"{tmp_path}/x.ome.zarr/"])
    assert (paths.images, files) == (tmp_path, ("x.ome.zarr",))


def test_a_workspace_and_its_folder_of_images_are_that_workspace(tmp_path):
    (tmp_path / "OMETIFF").mkdir()
    (tmp_path / "OMETIFF" / "a.tiff").touch()
    for place in (tmp_path, tmp_path / "OMETIFF", tmp_path / "OMETIFF" / "a.tiff"):
        assert plain_dataset([str(place)])[0] == workspace_paths(tmp_path)


def test_places_in_a_store_are_told_apart_by_their_names():
    paths, files = plain_dataset(["s3://bucket/slides/"])
    assert (paths.images, paths.segmasks, files) == ("s3://bucket/slides", "s3://bucket/slides/SEGMASK", ())


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a.ome.tiff", "notes.txt"], "no image by its name"),
        (["a.ome.tiff", "."], "no image by its name"),
        (["c.tiff"], "there is no image"),
        (["missing/"], "there is no file or folder"),
        (["a.ome.tiff", "sub/d.tiff"], "2 folders"),
    ],
)
def test_what_is_no_one_dataset_is_told(folder, names, told):
    (folder / "notes.txt").touch()
    (folder / "sub").mkdir()
    (folder / "sub" / "d.tiff").touch()
    with pytest.raises(RequestError, match=told):
        plain_dataset([f"{folder}/{name}" for name in names])


def test_other_commands_find_a_plain_folder_again(folder, tmp_path):
    assert dataset_paths(folder) == plain_dataset([str(folder)])[0]
    assert dataset_paths(tmp_path) == workspace_paths(tmp_path)
