"""Limits that a system sets for a process are told in plain words, and so is a folder that is gone."""

import subprocess
import sys

import pytest

from tests.cli.runs import finished
from tests.pipeline.spots import spots, write_dataset

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")]


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", good=spots((60, 80)))


def limited(script, *words):
    """Run the command line in a shell, after a line of its own."""
    command = ["bash", "-c", f'{script}; exec "$@"', "bash", sys.executable, "-m", "cellscale", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert "Traceback" not in done.stdout + done.stderr
    assert "unexpected error" not in done.stdout + done.stderr
    return done


def test_too_few_addresses_are_refused_with_both_numbers(dataset, tiny_model):
    done = limited("ulimit -v 1250000", "segment", "--model_path", tiny_model, "workspace", dataset)
    assert done.returncode == 2
    assert "1.28 GB of addresses (ulimit -v); the network and one block need 1.32 GB. Raise the limit" in done.stderr


@pytest.mark.parametrize("blocks", [4, 40])
def test_a_limit_on_the_size_of_files_fails_the_image(dataset, tiny_model, blocks):
    words = ("segment", "--no_report", "--model_path", tiny_model, "workspace", dataset)
    done = limited(f"ulimit -f {blocks}", *words)
    assert done.returncode == 1
    assert "the file is larger than a limit of this process (ulimit -f)" in done.stderr
    assert limited(":", *words).returncode == 0
    assert finished(dataset, "good", ("SEGMASK/{}_WholeCellMask.tiff",))


@pytest.mark.parametrize("words", [("segment", "workspace", "x"), ("simulate", "x"), ("models", "list")])
def test_a_folder_that_is_gone_is_called_that(tmp_path, words):
    gone = f'mkdir "{tmp_path}/gone" && cd "{tmp_path}/gone" && rmdir "{tmp_path}/gone"'
    done = limited(gone, *words)
    assert done.returncode == 2
    assert "the folder that this command was started in was removed" in done.stderr
    assert limited(gone, "--version").returncode == 0
