"""A process of its own ends with the exit codes that scripts rely on, and shows no traceback."""

import subprocess
import sys

import pytest

from tests.cli.runs import finished
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


def test_0_where_all_images_are_done_and_1_where_some_failed(dataset, tiny_model):
    words = ["segment-and-measure", "--model_path", tiny_model, "workspace", dataset]
    assert process(*words, code=0).stderr.startswith("good: nucleus: #1 DAPI")
    (dataset / "OMETIFF" / "text.tiff").write_text("These are not pixels.")
    done = process(*words, code=1)
    assert "failed: text: text.tiff: not a TIFF file" in done.stderr
    assert finished(dataset, "good")


def test_2_where_the_request_is_wrong(dataset, tiny_model):
    done = process("segment", "--model_path", tiny_model, "workspace", dataset / "gone", code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("Error: there is no folder")
    assert len(done.stderr.splitlines()) == 1
    assert "No such option" in process("segment", "--nonsense", "workspace", dataset, code=2).stderr
