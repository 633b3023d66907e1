"""The network that the doctor runs is the one that the tests run, written without the library that makes models."""

import numpy as np
import onnx

from cellscale.predict.network import OnnxNetwork
from cellscale.predict.onnx_file.tiny import tiny_network
from tests.predict import tiny_network as reference


def test_it_is_a_valid_model_with_the_maps_of_the_one_made_by_onnx():
    onnx.checker.check_model(onnx.load_from_string(tiny_network()), full_check=True)
    batch = np.random.default_rng(3).random((2, 256, 256, 2), np.float32)
    found = OnnxNetwork(tiny_network(), threads=1).predict(batch)
    np.testing.assert_array_equal(found, OnnxNetwork(reference.tiny_network(), threads=1).predict(batch))
