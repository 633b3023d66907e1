"""Two images of one name do not share results."""

import shutil

import pytest

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset


@pytest.fixture
def patients(tmp_path):
    return [write_dataset(tmp_path / f"patient{number}", image=spots((200, 210), seed=number)) for number in (1, 2)]


def made(model, images, out, *options):
    return run(
        "segment-and-measure", "--model_path", model, *options, "paths", "--images_path", images,
        "--segmasks_path", out / "SEGMASK", "--reports_path", out / "REPORTS",
    )  # fmt: skip


def outputs(out):
    folders = (out / "SEGMASK", out / "REPORTS")
    files = (file for folder in folders for file in folder.glob("image_*") if not file.name.endswith("_report.html"))
    return {file: file.read_bytes() for file in files}


@pytest.mark.slow
def test_another_image_of_the_same_name_is_refused_unless_asked(tiny_model, patients, tmp_path):
    first, second = (patient / "OMETIFF" for patient in patients)
    assert made(tiny_model, first, tmp_path / "out").exit_code == 0
    before = outputs(tmp_path / "out")
    done = made(tiny_model, second, tmp_path / "out")
    assert done.exit_code == 1
    assert "has the name of another image" in done.stderr
    assert outputs(tmp_path / "out") == before
    assert made(tiny_model, first, tmp_path / "out").exit_code == 0
    assert made(tiny_model, second, tmp_path / "out", "--overwrite").exit_code == 0
    assert outputs(tmp_path / "out") != before
    assert made(tiny_model, second, tmp_path / "out").exit_code == 0


@pytest.mark.slow
def test_an_image_that_was_moved_copied_or_replaced_is_the_same(tiny_model, patients, tmp_path):
    first, second = patients
    assert made(tiny_model, first / "OMETIFF", tmp_path / "out").exit_code == 0
    shutil.copytree(first, tmp_path / "copy")
    assert made(tiny_model, tmp_path / "copy" / "OMETIFF", tmp_path / "out").exit_code == 0
    shutil.rmtree(tmp_path / "copy")
    image = next((first / "OMETIFF").iterdir())
    shutil.copy(next((second / "OMETIFF").iterdir()), image)
    assert made(tiny_model, first / "OMETIFF", tmp_path / "out").exit_code == 0
    first.rename(tmp_path / "moved")
    assert made(tiny_model, tmp_path / "moved" / "OMETIFF", tmp_path / "out").exit_code == 0


@pytest.mark.slow
def test_a_dataset_that_was_copied_goes_on(tiny_model, patients, tmp_path):
    def whole(dataset, *options):
        return run("segment-and-measure", "--model_path", tiny_model, *options, "workspace", dataset).exit_code

    assert whole(patients[0]) == 0
    shutil.copytree(patients[0], tmp_path / "copy")
    shutil.copy(next((patients[1] / "OMETIFF").iterdir()), next((tmp_path / "copy" / "OMETIFF").iterdir()))
    assert whole(tmp_path / "copy") == 0
