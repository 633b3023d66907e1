"""Folders that cannot be read or written, and full disks: nothing is half-written, and a later run finishes."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.runs import contents, finished, run
from tests.pipeline.spots import spots, write_dataset

PLANES = spots((60, 80))
NOBODY = 65534


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", alpha=PLANES, beta=PLANES)


def segment_and_measure(model, dataset, *options):
    return run("segment-and-measure", "--no_report", "--model_path", model, *options, "workspace", dataset)


@contextmanager
def unprivileged():
    """Work as a user to whom permissions matter, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_dataset(tiny_model):
    """A dataset, and a network in it, in a folder that every user may enter."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions of this kind are those of POSIX systems")
    root = Path(tempfile.mkdtemp(prefix="cellscale-test-"))
    root.chmod(0o755)
    shutil.copy(tiny_model, root)
    yield write_dataset(root, alpha=PLANES, beta=PLANES)
    (root / "OMETIFF").chmod(0o755)
    shutil.rmtree(root)


def dry_run(dataset):
    """Return the words of a dry run, after a first one has loaded what another user may not be able to load."""
    words = ["segment", "--dry_run", "--model_path", dataset / "tiny.onnx", "workspace", dataset]
    assert run(*words).exit_code == 0
    return words


def test_a_folder_of_images_that_may_not_be_read(open_dataset):
    words = dry_run(open_dataset)
    (open_dataset / "OMETIFF").chmod(0)
    with unprivileged():
        done = run(*words)
    done.explains("cannot list", "OMETIFF", "permission denied: change its permissions")


def test_an_image_that_may_not_be_read_fails_alone(open_dataset):
    words = dry_run(open_dataset)
    (open_dataset / "OMETIFF" / "alpha.ome.tiff").chmod(0)
    with unprivileged():
        done = run(*words)
    assert done.exit_code == 1
    assert "alpha.ome.tiff: permission denied: change its permissions" in done.errors["alpha"]
    assert done.statuses["beta"] == "planned"


@pytest.mark.parametrize("folder", ["SEGMASK", "REPORTS", "PROJ", "jobs"])
def test_a_file_in_place_of_a_folder_of_outputs(dataset, tiny_model, folder):
    (dataset / folder).write_text("in the way")
    done = segment_and_measure(tiny_model, dataset)
    assert done.exit_code == 1
    message = done.stderr.rpartition("rror: ")[2]
    assert str(dataset / folder) in message
    assert "a file" in message
    assert (dataset / folder).read_text() == "in the way"
    (dataset / folder).unlink()
    assert segment_and_measure(tiny_model, dataset).exit_code == 0
    assert finished(dataset, "alpha")
    assert finished(dataset, "beta")


@pytest.mark.parametrize("folder", ["SEGMASK", "REPORTS", "PROJ", "jobs"])
def test_a_folder_that_may_not_be_written(dataset, tiny_model, small_disk, folder):
    disk = small_disk("8m")
    (dataset / folder).symlink_to(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    done = segment_and_measure(tiny_model, dataset)
    assert done.exit_code == 1
    assert "read-only" in done.stderr
    assert not list(disk.iterdir())
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert segment_and_measure(tiny_model, dataset).exit_code == 0
    assert finished(dataset, "alpha")
    assert finished(dataset, "beta")


@pytest.fixture(scope="module")
def reference(tmp_path_factory, tiny_model):
    """What a run with room enough leaves."""
    dataset = write_dataset(tmp_path_factory.mktemp("reference"), alpha=PLANES, beta=PLANES)
    assert segment_and_measure(tiny_model, dataset).exit_code == 0
    return results(dataset)


def results(dataset):
    """Return the outputs that do not name their place."""
    return contents(*(dataset / folder for folder in ("SEGMASK", "REPORTS")))


@pytest.mark.parametrize("room", [0, 100, 1040, 1060, 1080, 1140])
def test_segmenting_on_a_full_disk_leaves_nothing_half_written(tiny_model, small_disk, reference, room):
    disk = small_disk("20m")
    dataset = write_dataset(disk / "dataset", alpha=PLANES, beta=PLANES)
    with filled(disk, room):
        done = segment_and_measure(tiny_model, dataset)
        assert done.exit_code == 1
        assert "the disk is full: free some space" in done.stderr
        assert results(dataset).items() <= reference.items()
    assert segment_and_measure(tiny_model, dataset).exit_code == 0
    assert results(dataset) == reference


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 8, 16, 40, 60, 80, 100])
def test_measuring_on_a_full_disk_leaves_nothing_half_written(tiny_model, small_disk, reference, room):
    disk = small_disk("20m")
    dataset = write_dataset(disk / "dataset", alpha=PLANES, beta=PLANES)
    assert run("segment", "--model_path", tiny_model, "workspace", dataset).exit_code == 0
    with filled(disk, room):
        done = run("measure", "workspace", dataset)
        assert done.exit_code == 1
        assert "the disk is full: free some space" in done.stderr
        assert results(dataset).items() <= reference.items()
    assert run("measure", "workspace", dataset).exit_code == 0
    assert results(dataset) == reference


def test_what_a_full_disk_holds_already_stays_as_it_was(tiny_model, small_disk, reference):
    disk = small_disk("20m")
    dataset = write_dataset(disk / "dataset", alpha=PLANES, beta=PLANES)
    assert segment_and_measure(tiny_model, dataset).exit_code == 0
    with filled(disk, 64):
        done = segment_and_measure(tiny_model, dataset, "--overwrite")
    assert done.exit_code == 1
    assert "the disk is full" in done.stderr
    assert results(dataset) == reference


@contextmanager
def filled(disk, room):
    """Leave so many kilobytes of a disk."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - room * 1024))
    yield
    ballast.unlink()
