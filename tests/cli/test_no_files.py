"""What is no regular file fails by its name, is never waited for, and stops nothing else."""

import os
import shutil
import socket
import sys

import pytest

from tests.cli.runs import finished, run
from tests.pipeline.spots import spots, write_dataset

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there are none of these"),
    pytest.mark.timeout(600),
]


def pipe(path):
    os.mkfifo(path)


def bound_socket(path):
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)  # the path of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def loop(path):
    path.symlink_to(path.name)


def dangling(path):
    path.symlink_to("nowhere")


def device(path):
    path.symlink_to("/dev/zero")


def folder(path):
    path.mkdir()


KINDS = [
    (pipe, "named pipe"),
    (bound_socket, "socket"),
    (loop, "leads back to itself"),
    (dangling, "a link to nowhere, which does not exist"),
    (device, "device"),
    (folder, "folder"),
]


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", good=spots((60, 80)))


def words(model, dataset):
    return "--model_path", model, "--workers", 1, "workspace", dataset


@pytest.mark.slow
@pytest.mark.parametrize(("make", "reason"), KINDS)
def test_an_image(dataset, tiny_model, make, reason):
    make(dataset / "OMETIFF" / "x.ome.tiff")
    done = run("segment-and-measure", *words(tiny_model, dataset))
    assert (done.exit_code, done.statuses) == (1, {"good": "done", "x": "failed"})
    assert "x.ome.tiff" in done.errors["x"]
    assert reason in done.errors["x"]
    assert finished(dataset, "good")


@pytest.mark.slow
@pytest.mark.parametrize(("make", "reason"), KINDS)
def test_an_npz_file(dataset, tiny_model, make, reason):
    (dataset / "NPZ_INTERMEDIATE").mkdir()
    make(dataset / "NPZ_INTERMEDIATE" / "x.npz")
    shutil.copy(dataset / "OMETIFF" / "good.ome.tiff", dataset / "OMETIFF" / "x.ome.tiff")
    done = run("segment-and-measure", *words(tiny_model, dataset))
    assert (done.exit_code, done.statuses) == (1, {"good": "done", "x": "failed"})
    assert "x.npz" in done.errors["x"]
    assert reason in done.errors["x"]


@pytest.mark.parametrize(("make", "reason"), KINDS)
def test_a_mask(dataset, tiny_model, make, reason):
    shutil.copy(dataset / "OMETIFF" / "good.ome.tiff", dataset / "OMETIFF" / "x.ome.tiff")
    assert run("segment", *words(tiny_model, dataset)).exit_code == 0
    (dataset / "SEGMASK" / "x_WholeCellMask.tiff").unlink()
    make(dataset / "SEGMASK" / "x_WholeCellMask.tiff")
    done = run("measure", *words(tiny_model, dataset))
    assert (done.exit_code, done.statuses) == (1, {"good": "done", "x": "failed"})
    assert "x_WholeCellMask.tiff" in done.errors["x"]


@pytest.mark.parametrize(("make", "reason"), KINDS[:1] + KINDS[2:3])
def test_a_part_of_a_zarr_folder(dataset, tiny_model, make, reason):
    zarr = dataset / "OMETIFF" / "x.ome.zarr"
    zarr.mkdir()
    make(zarr / "zarr.json")
    done = run("segment-and-measure", *words(tiny_model, dataset))
    assert (done.exit_code, done.statuses) == (1, {"good": "done", "x": "failed"})
    assert "x.ome.zarr" in done.errors["x"]
    assert reason in done.errors["x"]


@pytest.mark.slow
def test_records_and_outputs(dataset, tiny_model):
    assert run("segment-and-measure", *words(tiny_model, dataset)).exit_code == 0
    made = [path for path in dataset.rglob("*") if path.is_file() and "OMETIFF" not in path.parts]
    assert {path.parent.name for path in made} >= {"jobs", "records", "report", "benchmarks", "SEGMASK", "REPORTS"}
    for path in made:
        kept = path.rename(dataset.parent / "kept")
        pipe(path)
        done = run("segment-and-measure", *words(tiny_model, dataset))
        assert done.exit_code in (0, 1)
        assert done.exit_code == 0 or path.name in done.errors["good"]
        assert run("estimate", dataset).exit_code == 0
        path.unlink()
        kept.rename(path)


def test_neither_a_dry_run_nor_an_estimate_waits(dataset, tiny_model):
    pipe(dataset / "OMETIFF" / "x.ome.tiff")
    assert run("segment-and-measure", "--dry_run", *words(tiny_model, dataset)).exit_code == 1
    assert "x" in run("estimate", dataset).stdout


def named(dataset, place, *, option=None):
    """Return the words of a dry run that names a file, by an option or where it lies."""
    options = () if option is None else (option, place)
    return "segment-and-measure", "--dry_run", *options, "workspace", dataset


@pytest.mark.parametrize(("make", "reason"), KINDS)
@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--settings", "x.toml"),
        ("--settings", "x.csv"),
        (None, "cellscale.toml"),
        ("--channel_names", "x.csv"),
        ("--model_path", "x.onnx"),
    ],
)
def test_a_file_of_a_request(dataset, make, reason, option, name):
    make(dataset / name)
    run(*named(dataset, dataset / name, option=option)).explains(name, reason)


@pytest.mark.parametrize(("make", "reason"), KINDS)
@pytest.mark.parametrize("option", ["--regions", "--exclude"])
def test_a_file_of_regions(dataset, tiny_model, make, reason, option):
    make(dataset / "x.geojson")
    done = run("segment", option, dataset / "x.geojson", *words(tiny_model, dataset))
    assert done.statuses == {"good": "failed"}
    assert "x.geojson" in done.errors["good"]
    assert reason in done.errors["good"]


@pytest.mark.parametrize(("make", "reason"), KINDS[2:4])
def test_an_image_or_a_folder_of_images(tmp_path, dataset, make, reason):
    make(tmp_path / "x.ome.tiff")
    make(tmp_path / "x")
    shutil.rmtree(dataset / "OMETIFF")
    make(dataset / "OMETIFF")
    for words in ([tmp_path / "x.ome.tiff"], [tmp_path / "x"], ["workspace", tmp_path / "x"], ["workspace", dataset]):
        run("segment", "--dry_run", *words).explains(str(words[-1]), reason)


def test_a_log_that_nobody_reads(dataset, tmp_path):
    pipe(tmp_path / "log")
    run("segment", "--log_file", tmp_path / "log", "workspace", dataset).explains("--log_file", "cannot be written")


def test_a_log_that_somebody_reads(dataset, tmp_path):
    pipe(tmp_path / "log")
    reading = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    run("segment", "--log_file", tmp_path / "log", "--dry_run", "workspace", dataset)
    assert os.read(reading, 100)
    os.close(reading)


@pytest.mark.parametrize(("make", "reason"), KINDS[:-1])
def test_a_page_of_a_comparison(dataset, make, reason):
    make(dataset / "x.html")
    done = run("compare", "--out", dataset / "x.html", dataset, dataset)
    assert done.exit_code != 0
    assert "x.html" in done.stderr
    assert reason in done.stderr


@pytest.mark.parametrize(("make", "reason"), KINDS)
def test_a_list_of_names_beside_images(dataset, make, reason):
    from cellscale.storage.uri import listing
    from cellscale.workspace.channel_lists import list_beside

    make(dataset / "OMETIFF" / "markers.csv")
    found = list_beside(listing(dataset / "OMETIFF"))
    assert (found is None) if make is folder else (reason in found.problem)


@pytest.mark.parametrize(("make", "reason"), KINDS[:2])
def test_the_note_of_who_holds_a_lock(tmp_path, make, reason):
    from cellscale.storage.locks import run_lock

    make(tmp_path / "lock.holder")
    with run_lock(tmp_path / "lock"):
        assert (tmp_path / "lock.holder").is_file()


def test_a_further_file_of_an_image(dataset, tiny_model):
    import tifffile

    image = dataset / "OMETIFF" / "good.ome.tiff"
    with tifffile.TiffFile(image) as tiff:
        described = tiff.ome_metadata
    tifffile.tiffcomment(image, described.replace("<Pixels", '<!-- FileName="x.bin" --><Pixels').encode())
    pipe(image.parent / "x.bin")
    done = run("segment", *words(tiny_model, dataset))
    assert done.exit_code == 1
    assert "x.bin cannot be read: it is a named pipe" in done.errors["good"]


def test_a_link_to_a_file_is_one(dataset, tiny_model):
    image = dataset / "OMETIFF" / "good.ome.tiff"
    image.rename(dataset / "elsewhere.ome.tiff")
    image.symlink_to(dataset / "elsewhere.ome.tiff")
    assert run("segment", *words(tiny_model, dataset)).statuses == {"good": "done"}
