"""What there is where a workspace has no folder of images."""

import pytest

from cellscale.errors import RequestError
from cellscale.workspace.found_instead import require_images_folder

COMMAND = "cellscale segment"


def refused(dataset, subfolder="OMETIFF"):
    with pytest.raises(RequestError) as error:
        require_images_folder(dataset, subfolder, COMMAND)
    return str(error.value)


def image(*folders):
    path = folders[0].joinpath(*folders[1:])
    path.mkdir(parents=True, exist_ok=True)
    (path / "a.ome.tiff").touch()
    return folders[0]


def test_images_directly_in_the_folder_are_told_with_the_words_that_work(tmp_path):
    told = refused(image(tmp_path))
    assert "but 1 image (a.ome.tiff) directly in it" in told
    assert told.endswith(f"Use: {COMMAND} {tmp_path}")


@pytest.mark.parametrize("name", ["OME-TIFF", "ometiff", "Ome Tiff", "raw"])
def test_a_folder_of_another_name_is_told(tmp_path, name):
    told = refused(image(tmp_path, name))
    assert f"a folder {name} with 1 image" in told
    quoted = f"'{name}'" if " " in name else name
    assert told.endswith(f"Use: {COMMAND} workspace --images_subdir {quoted} {tmp_path}")


def test_a_folder_of_a_like_name_comes_before_others(tmp_path):
    image(tmp_path, "archive")
    assert "--images_subdir ome_tiff" in refused(image(tmp_path, "ome_tiff"))


def test_the_folder_of_images_itself_is_told(tmp_path):
    image(tmp_path, "OMETIFF")
    assert refused(tmp_path / "OMETIFF").endswith(f"Use: {COMMAND} workspace {tmp_path}")


def test_a_file_is_called_a_file(tmp_path):
    told = refused(image(tmp_path) / "a.ome.tiff")
    assert "is a file" in told
    assert told.endswith(f"For one image: {COMMAND} {tmp_path / 'a.ome.tiff'}")


def test_a_mistyped_folder_is_asked_for(tmp_path):
    (tmp_path / "mydata").mkdir()
    assert f"did you mean {tmp_path / 'mydata'}?" in refused(tmp_path / "mydta")


def test_a_folder_without_images_is_told_where_they_belong(tmp_path):
    (tmp_path / "notes").mkdir()
    told = refused(tmp_path)
    assert "no image; it holds notes" in told
    assert told.endswith(f"Put the images into {tmp_path / 'OMETIFF'}")


def test_a_workspace_with_images_or_arrays_is_let_pass(tmp_path):
    require_images_folder(image(tmp_path, "OMETIFF"), "OMETIFF", COMMAND)
    (tmp_path / "other" / "NPZ_INTERMEDIATE").mkdir(parents=True)
    require_images_folder(tmp_path / "other", "OMETIFF", COMMAND)
    require_images_folder("gs://bucket/data", "OMETIFF", COMMAND)
