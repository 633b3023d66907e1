"""``cellscale simulate`` in words."""

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from cellscale.cli.main import cellscale
from cellscale.simulate.marker_panel import DEFAULT_CHANNELS


def run(*words):
    return CliRunner().invoke(cellscale, ["simulate", *map(str, words)])


def image(folder, name="tissue_001"):
    return tifffile.imread(folder / f"OMETIFF/{name}.ome.tiff")


def test_images_are_made_and_named(tmp_path):
    result = run(tmp_path / "out", "--images", 2, "--size", 40, "--channels", 2, "--seed", 3)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [str(tmp_path / f"out/OMETIFF/tissue_00{i}.ome.tiff") for i in (1, 2)]
    assert image(tmp_path / "out").shape == (2, 40, 40)
    assert not (tmp_path / "out/TRUTH").exists()
    again = run(tmp_path / "out", "--images", 2, "--size", 40, "--channels", 2, "--seed", 3)
    assert again.stdout.count("(was there)") == 2


@pytest.mark.parametrize("place", ["mine.ome.tiff", "OMETIFF/mine.tif"])
def test_a_folder_with_other_images_is_refused(tmp_path, place):
    (tmp_path / "OMETIFF").mkdir()
    (tmp_path / place).touch()
    result = run(tmp_path, "--size", 20)
    assert result.exit_code == 2
    assert "holds images that are not simulated (mine." in result.stderr
    assert not list(tmp_path.rglob("tissue_*"))


def test_sizes_channels_and_types_are_taken_in_words(tmp_path):
    words = ("--size", "30x50", "--channels", "dapi, CD8", "--dtype", "uint8", "--truth", "--workers", 1)
    assert run(tmp_path, *words).exit_code == 0
    made = image(tmp_path)
    assert (made.shape, made.dtype) == ((2, 30, 50), np.uint8)
    assert tifffile.imread(tmp_path / "TRUTH/tissue_001_WholeCellMask.tiff").shape == (30, 50)


def test_the_default_channels_are_those_of_the_library(tmp_path):
    run(tmp_path, "--size", 20)
    assert image(tmp_path).shape == (len(DEFAULT_CHANNELS), 20, 20)
    with tifffile.TiffFile(tmp_path / "OMETIFF/tissue_001.ome.tiff") as tiff:
        assert all(f'Name="{name}"' in tiff.ome_metadata for name in DEFAULT_CHANNELS)


def test_the_seed_decides(tmp_path):
    for seed in (1, 2):
        run(tmp_path / str(seed), "--size", 64, "--channels", 1, "--seed", seed)
    assert (image(tmp_path / "1") != image(tmp_path / "2")).any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--size", "0"), "0 x 0 pixels"),
        (("--size", "-5"), "'-5' is no size"),
        (("--size", "10x10x10"), "is no size"),
        (("--channels", "DAPI,CD99"), "no such marker: CD99"),
        (("--channels", "99"), "99 channels"),
        (("--images", "0"), "0 images"),
        (("--seed", "-1"), "negative"),
        (("--dtype", "float32"), "float32"),
    ],
)
def test_impossible_requests_are_refused(tmp_path, words, message):
    result = run(tmp_path / "out", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = run(tmp_path / "file" / "out", "--size", 20)
    assert result.exit_code == 1
    assert str(tmp_path / "file") in result.stderr
