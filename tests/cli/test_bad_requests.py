"""Requests that no image could satisfy are refused at once, with what to do."""

import pytest

from cellscale.pipeline.budget import FIXED, PER_WORKER
from tests.cli.runs import contents, run
from tests.pipeline.spots import spots, write_dataset

COMMANDS = ("segment-and-measure", "segment", "measure")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    planes = spots((60, 80))
    return write_dataset(tmp_path_factory.mktemp("requests"), alpha=planes, beta=planes)


@pytest.fixture
def refused(dataset, tiny_model):
    """Run with some options; expect a message with some words, and nothing written."""

    def check(*options, words, command="segment-and-measure", where=dataset):
        before = contents(dataset)
        run(command, "--model_path", tiny_model, *options, "workspace", where).explains(*words)
        assert contents(dataset) == before

    return check


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dataset_that_is_not_there(refused, tmp_path, command):
    refused(command=command, where=tmp_path / "gone", words=["there is no folder", "gone", "check the path"])
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_without_images(refused, tmp_path, command):
    (tmp_path / "OMETIFF").mkdir()
    (tmp_path / "OMETIFF" / "notes.txt").write_text("none yet")
    refused(command=command, where=tmp_path, words=["no image in", "OMETIFF", "expected OME-TIFF (.ome.tif"])
    assert [path.name for path in tmp_path.iterdir()] == ["OMETIFF"]


def test_an_image_where_the_dataset_should_be(refused, dataset):
    image = next((dataset / "OMETIFF").iterdir())
    refused(where=image, words=[f"{image} is a file; workspace takes a folder", "For one image: cellscale"])


def test_a_file_where_the_folder_of_images_should_be(refused, tmp_path):
    (tmp_path / "OMETIFF").write_text("in the way")
    refused(where=tmp_path, words=["cannot list", "OMETIFF", "is a file, not a folder"])


def test_a_dataset_in_a_store_that_is_not_known(refused):
    refused(where="carrier-pigeon://bucket/data", words=["carrier-pigeon:// is no known kind of storage"])


def test_a_filter_that_no_image_passes(refused):
    refused("--image_filter", "Beta", words=["no image's name begins with 'Beta'", "there are: alpha, beta"])


def test_too_little_memory(refused):
    enough = f"{(FIXED + PER_WORKER) / 1e9:.2f} GB"
    refused("--max_memory", "100MB", words=["--max_memory is 0.10 GB", enough, "at least"])


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--image_mpp", "0", ["'--image_mpp'", "out of range", "above 0"]),
        ("--image_mpp", "-0.5", ["out of range", "above 0"]),
        ("--compartment", "cytoplasm", ["'cytoplasm' is not one of", "both", "nuclear"]),
        ("--mask_format", "png", ["'png' is not one of", "tiff"]),
        ("--workers", "0", ["'--workers'", "x>=1"]),
        ("--max_memory", "much", ["'much' is not an amount of memory", "3GB"]),
        ("--expand_cells", "3", ["'3' is not a length", "3um or 5px"]),
        ("--expand_cells", "200px", ["expanded by 200px", "at most 100 pixels"]),
        ("--percentile", "0", ["percentile is 0", "up to 100"]),
        ("--clahe_kernel", "2000", ["kernel is 2000", "8 to 1024"]),
        ("--whole_cell_interior_threshold", "nan", ["interior threshold is nan", "finite number"]),
    ],
)
def test_a_value_that_an_option_does_not_take(refused, option, value, words):
    refused(option, value, words=words)


def test_a_channel_position_below_one_fails_each_image(dataset, tiny_model):
    done = run("segment", "--model_path", tiny_model, "--nuclear_channel", "#0", "workspace", dataset)
    assert done.exit_code == 1
    assert set(done.errors) == {"alpha", "beta"}
    assert all("#1 DAPI, #2 Membrane" in reason for reason in done.errors.values())


def test_a_log_file_that_cannot_be_written(refused, tmp_path):
    refused("--log_file", tmp_path / "gone" / "log.jsonl", words=["--log_file", "cannot be written", "in a folder"])
