"""Networks like InstanSeg that other packages describe: known by other names, and checked."""

from dataclasses import replace

import numpy as np
import pytest

from cellscale.predict.heads import Seeds
from cellscale.predict.instanseg import SeedNetwork, problem_of_seeds, with_seeds
from cellscale.predict.onnx_file import signature_of
from cellscale.testing import check_network
from tests.predict.seed_network import CLASSIFIER_WEIGHTS, other_names, seed_network

SEEDS = Seeds(image="slide", margins="surroundings", maps="fields", classifier=CLASSIFIER_WEIGHTS.tolist())


class Kind:
    def __init__(self, seeds=SEEDS):
        self._seeds = seeds

    def heads(self, signature):
        return self._seeds if self._seeds.image in signature.inputs else None


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "ours.onnx"
    path.write_bytes(other_names(seed_network()))
    return path


def test_it_is_the_same_network_by_the_usual_names(model):
    ours = SeedNetwork(with_seeds(model.read_bytes(), SEEDS), threads=1)
    plain = SeedNetwork(seed_network(), threads=1)
    image = np.random.default_rng(0).random((2, 1, 64, 80), np.float32)
    margins = np.array([[8, 0], [0, 16]])
    assert np.array_equal(ours.predict(image, margins), plain.predict(image, margins))
    assert np.array_equal(ours.classifier, plain.classifier)


def test_the_check_passes_it(model):
    check_network(Kind(), model)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"maps": "labels"}, "the output labels; the network has slide, surroundings and fields"),
        ({"classifier": [0.0] * 60}, "the classifier has 60 numbers; 61 finite numbers expected"),
        ({"classifier": [np.nan] * 61}, "61 finite numbers expected"),
    ],
)
def test_what_is_described_wrongly_is_told(model, change, words):
    seeds = replace(SEEDS, **change)
    assert words in problem_of_seeds(seeds, signature_of(model.read_bytes()))
    with pytest.raises(AssertionError, match=words):
        check_network(Kind(seeds), model)


def test_the_check_finds_maps_that_depend_on_the_order_of_channels(tmp_path):
    path = tmp_path / "first.onnx"
    # Only the first channel is looked at.
    path.write_bytes(other_names(seed_network(only_first=True)))
    with pytest.raises(AssertionError, match="others when channels change places"):
        check_network(Kind(), path)
