"""Images enter the QuPath project's list several at a time."""

import json
from pathlib import Path

import pytest

from cellscale.cells.text import Dialect
from cellscale.errors import StorageError
from cellscale.pipeline.entering import Entering
from cellscale.qupath.project import entry_ids, place_images, update_project
from tests.qupath.test_project import info_of

IMAGES = 130


def infos_of(folder: Path, count: int = IMAGES):
    return [info_of(folder / "OMETIFF" / f"i{number:04}.tiff") for number in range(count)]


def entered(folder: Path, infos, entering: Entering) -> list[int]:
    """Enter images as the pipeline does; return how many the project lists after each."""
    listed = []
    for info in infos:
        (place,) = place_images(folder, [info], taken=entering.numbers)
        entering.enter(info.name, place)
        listed.append(len(entry_ids(folder)))
    return listed


def without_times(folder: Path):
    project = json.loads((folder / "project.qpproj").read_bytes())
    return {key: value for key, value in project.items() if not key.endswith("Timestamp")}


def test_the_list_is_that_of_images_entered_one_by_one_and_written_seldom(tmp_path):
    infos, folder = infos_of(tmp_path), tmp_path / "PROJ"
    folder.mkdir()
    entering = Entering(folder, Dialect.V0_7)
    listed = entered(folder, infos, entering)
    assert listed[:8] == list(range(1, 9)), "at first each image is there at once"
    assert all(number - count <= number / 8 + 1 for number, count in enumerate(listed, 1))
    assert len(set(listed[65:])) < 8
    entering.write()
    assert entering.images == ()
    together = without_times(folder)
    (folder / "project.qpproj").unlink()
    for info in infos:
        update_project(folder, place_images(folder, [info]), Dialect.V0_7, 1)
    assert together == without_times(folder)
    assert entry_ids(folder) == frozenset(range(1, IMAGES + 1))


def test_images_that_wait_keep_their_numbers(tmp_path):
    infos, folder = infos_of(tmp_path, 70), tmp_path / "PROJ"
    folder.mkdir()
    entering = Entering(folder, Dialect.V0_7)
    entered(folder, infos[:66], entering)
    entering.write()
    (waiting,) = place_images(folder, infos[66:67], taken=entering.numbers)
    entering.enter("waits", waiting)
    assert entering.numbers == {67}
    (other,) = place_images(folder, infos[67:68], number=67, taken=entering.numbers)
    assert other.entry_id == 68, "not even one that had the number before"


def test_a_project_that_cannot_be_extended_is_told_and_nothing_is_forgotten(tmp_path):
    infos, folder = infos_of(tmp_path, 2), tmp_path / "PROJ"
    folder.mkdir()
    (place,) = place_images(folder, infos[:1])
    (folder / "project.qpproj").write_text("{")
    entering = Entering(folder, Dialect.V0_7)
    with pytest.raises(StorageError, match="no QuPath project that can be extended"):
        entering.enter("first", place)
    assert entering.images == ("first",)
    (folder / "project.qpproj").unlink()
    entering.write()
    assert entry_ids(folder) == {1}
