"""A process of its own ends with the exit codes that scripts rely on, and shows no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runs import MASKS, finished
from tests.pipeline.spots import spots, write_dataset


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path, good=spots((60, 80)))


def process(*words, code):
    command = [sys.executable, "-m", "cellscale", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.mark.slow
def test_0_where_all_images_are_done_and_1_where_some_failed(dataset, tiny_model):
    words = ["segment-and-measure", "--model_path", tiny_model, "workspace", dataset]
    assert process(*words, code=0).stderr.startswith("good: nucleus: #1 DAPI")
    (dataset / "OMETIFF" / "text.tiff").write_text("These are not pixels.")
    done = process(*words, code=1)
    assert "failed: text: text.tiff: not a TIFF file" in done.stderr
    assert finished(dataset, "good")


@pytest.mark.slow
def test_2_where_the_request_is_wrong(dataset, tiny_model):
    done = process("segment", "--model_path", tiny_model, "workspace", dataset / "gone", code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("Error: there is no folder")
    assert len(done.stderr.splitlines()) == 1
    assert "No such option" in process("segment", "--nonsense", "workspace", dataset, code=2).stderr


@pytest.mark.parametrize("output", ["/dev/full", "pipe", "closed"])
def test_a_log_and_an_output_that_take_nothing_change_no_exit_code(dataset, tiny_model, output):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    words = [sys.executable, "-m", "cellscale", "segment", "--model_path", str(tiny_model), "--log_file", "/dev/full"]
    words += ["workspace", str(dataset)]
    if output == "closed":
        words = ["sh", "-c", 'exec "$@" >&-', "sh", *words]
    read, write = os.pipe()
    os.close(read)
    with Path("/dev/full").open("wb") as full:
        stdout = {"/dev/full": full, "pipe": write, "closed": None}[output]
        done = subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.returncode == 0, done.stderr
    assert finished(dataset, "good", MASKS)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.stderr.count("--log_file /dev/full is no longer written (the disk is full") == 1
    assert done.stderr.count("the table of images cannot be written") == (output != "closed")


def test_nobody_who_reads_warnings_changes_no_exit_code(dataset, tiny_model):
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "cellscale", "segment", "--model_path", str(tiny_model), "workspace", str(dataset)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=write, text=True, check=False)
    os.close(write)
    assert done.returncode == 0
    assert finished(dataset, "good", MASKS)
    assert "good\tdone" in done.stdout
