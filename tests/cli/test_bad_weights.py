"""Weights that are missing, damaged or of another network stop the run before any image."""

import hashlib

import onnx
import pytest

from cellscale.weights.catalogue import MESMER, installed_path
from tests.cli.runs import finished, run
from tests.pipeline.spots import spots, write_dataset
from tests.predict.tiny_network import tiny_network


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", image=spots((60, 80)))


@pytest.fixture
def refused(dataset, tmp_path, monkeypatch):
    """Run with some options; expect a message with some words, and no output."""
    monkeypatch.setenv("CELLSCALE_CACHE", str(tmp_path / "cache"))

    def check(*options, words):
        run("segment-and-measure", *options, "workspace", dataset).explains(*words)
        assert not list(dataset.glob("SEGMASK/*"))
        assert not list(dataset.glob("REPORTS/*"))

    return check


def test_weights_that_are_not_installed(refused):
    refused(words=["not installed", "mesmer.onnx", "cellscale models fetch mesmer"])


def test_installed_weights_that_are_damaged(refused):
    place = installed_path(MESMER)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"cut off")
    refused(words=[str(place), "damaged", "found 7 bytes", "expected 104218567", "cellscale models fetch mesmer"])


def test_no_file_at_the_path(refused, tmp_path):
    refused("--model_path", tmp_path / "gone.onnx", words=["no model file at", "gone.onnx", "--model_path"])


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_wrong_hash(refused, tiny_model, algorithm):
    wrong = hashlib.new(algorithm, b"another").hexdigest()
    found = hashlib.new(algorithm, tiny_model.read_bytes()).hexdigest()
    refused("--model_path", tiny_model, "--model_hash", wrong, words=[wrong, found, "--model_hash", "incomplete"])


def test_a_hash_that_is_none(refused, tiny_model):
    refused("--model_path", tiny_model, "--model_hash", "abc", words=["'abc'", "SHA-256", "MD5"])


@pytest.mark.parametrize("keep", [0, 1000, -1])
def test_a_truncated_file(refused, tmp_path, keep):
    path = tmp_path / "cut.onnx"
    path.write_bytes(tiny_network()[:keep])
    refused("--model_path", path, words=["cut", "whole .onnx file", "--model_path"])


def test_a_file_of_another_kind(refused, tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("These are no weights.")
    refused("--model_path", path, words=["text cannot be loaded as an ONNX model", "--model_path"])


@pytest.mark.parametrize("other", [{"size": 128}, {"channels": 3}, {"input_name": "image"}])
def test_a_network_with_another_input(refused, tmp_path, other):
    path = tmp_path / "other.onnx"
    path.write_bytes(tiny_network(**other))
    refused("--model_path", path, words=["other has inputs", "expected the input input_0 [n, 256, 256, 2]", "Mesmer"])


def test_a_network_without_the_outputs(refused, tmp_path):
    model = onnx.load_from_string(tiny_network())
    del model.graph.output[1]
    path = tmp_path / "headless.onnx"
    path.write_bytes(model.SerializeToString())
    refused("--model_path", path, words=["headless has inputs", "semantic_1"])


@pytest.mark.parametrize("words", [("--model_path",), ("--model", "instanseg", "--model_path"), ("--model",)])
def test_a_torchscript_is_refused_with_what_makes_onnx_of_it(refused, tmp_path, words):
    path = tmp_path / "instanseg.pt"
    path.write_bytes(b"PK")
    refused(*words, path, words=["PyTorch", "cellscale models fetch instanseg --from", "docs/networks.md"])


@pytest.mark.parametrize("name", ["MultiplexSegmentation-9.tar.gz", "mesmer.h5", "mesmer.keras"])
def test_a_tensorflow_archive_is_refused_with_the_command_that_converts_it(refused, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"whatever")
    refused("--model_path", path, words=["TensorFlow", "python -m tf2onnx.convert", "--opset 15", "--model_path"])


def test_weights_are_needed_neither_for_measuring_nor_for_images_that_are_done(dataset, tiny_model, tmp_path):
    assert run("segment", "--model_path", tiny_model, "workspace", dataset).exit_code == 0
    assert run("measure", "--model_path", tmp_path / "gone.onnx", "workspace", dataset).exit_code == 0
    assert finished(dataset, "image")
