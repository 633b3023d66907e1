"""The words of DeepCell's run_app.py: what a pipeline gives and what it finds afterwards."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

import cellscale
from cellscale.cli.run_app import command
from tests.pipeline.spots import spots, write_image

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "run_app.py"


def mesmer(*words):
    return CliRunner().invoke(command, ["mesmer", *map(str, words)])


@pytest.fixture(scope="module")
def planes():
    return spots((120, 130))


@pytest.fixture(scope="module")
def stack(planes, tmp_path_factory):
    """An image whose nuclei are in the second and third channel, a part in each, and its membranes in the first."""
    nuclei, cells = planes
    path = tmp_path_factory.mktemp("stack") / "stack.ome.tif"
    return write_image(path, np.stack([cells, nuclei // 2, nuclei - nuclei // 2]), channels=("a", "b", "c"), mpp=0.25)


@pytest.fixture(scope="module")
def expected(planes, tiny_model):
    return cellscale.segment(
        planes, channel_names=["DAPI", "Membrane"], image_mpp=0.5, model_path=str(tiny_model), membrane_channel="#2"
    )


def test_channels_count_from_0_and_are_summed_and_the_size_of_a_pixel_is_the_one_given(
    stack, expected, tiny_model, tmp_path
):
    ended = mesmer(
        *("--nuclear-image", stack, "--nuclear-channel", 1, 2, "--membrane-image", stack, "--membrane-channel", 0),
        *("--output-directory", tmp_path, "--model-path", tiny_model),
    )
    assert ended.exit_code == 0, ended.output
    mask = tifffile.imread(tmp_path / "mask.tif")
    assert mask.shape == (1, 120, 130, 1)
    np.testing.assert_array_equal(mask[0, ..., 0], expected.whole_cell)
    assert f"{expected.whole_cell.max()} objects" in ended.stdout


def test_both_compartments_are_the_last_axis_cells_before_nuclei(planes, expected, tiny_model, tmp_path):
    files = [tmp_path / "nuclei.tif", tmp_path / "membranes.tif"]
    for file, plane in zip(files, planes, strict=True):
        tifffile.imwrite(file, plane)
    ended = mesmer("-n", files[0], "-m", files[1], "-c", "both", "-o", tmp_path / "new", "--model-path", tiny_model)
    assert ended.exit_code == 0, ended.output
    mask = tifffile.imread(tmp_path / "new" / "mask.tif")
    np.testing.assert_array_equal(mask, np.stack([expected.whole_cell, expected.nucleus], axis=-1)[np.newaxis])


@pytest.mark.slow
def test_mcmicro_calls_the_script_and_gets_rows_and_columns_alone(stack, tiny_model, tmp_path):
    words = [
        *("mesmer", "--squeeze", "--output-directory", ".", "--output-name", "cell.tif"),
        *("--nuclear-image", stack, "--nuclear-channel", "1", "--model-path", tiny_model),
    ]
    done = subprocess.run([sys.executable, SCRIPT, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    mask = tifffile.imread(tmp_path / "cell.tif")
    assert mask.shape == (120, 130)
    assert mask.max() > 10
    again = mesmer(*words[1:], "--output-directory", tmp_path)
    assert again.exit_code == 2
    assert "cell.tif exists already" in again.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--nuclear-channel", "3"], "has the channels 0 to 2"),
        (["--nuclear-channel", "one"], "invalid int value"),
        (["--compartment", "membrane"], "invalid choice"),
        (["--image-mpp", "0"], "mpp"),
        (["--output-directory", "stack.ome.tif/new"], "stack.ome.tif is a file"),
        (["--membrane-image", "small.tif"], "images of one size expected"),
        (["--membrane-image", "none.tif"], "none.tif"),
    ],
)
def test_what_is_wrong_is_told_and_leaves_no_file(words, told, stack, tiny_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / stack.name).write_bytes(stack.read_bytes())
    tifffile.imwrite(tmp_path / "small.tif", np.zeros((64, 64), np.uint16))
    before = set(tmp_path.rglob("*"))
    ended = mesmer("--nuclear-image", stack.name, "--model-path", tiny_model, *words)
    assert ended.exit_code in (1, 2)
    assert told in ended.stderr
    assert "Traceback" not in ended.output
    assert set(tmp_path.rglob("*")) == before


def test_another_application_is_answered_with_the_one_that_is_there():
    ended = CliRunner().invoke(command, ["nuclear", "--help"])
    assert ended.exit_code == 2
    assert "there is no command 'nuclear'. Known: mesmer" in ended.stderr
