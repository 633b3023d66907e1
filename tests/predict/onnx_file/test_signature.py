"""Inputs and outputs are found in a file without reading its weights."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from cellscale.predict.onnx_file import signature_of
from tests.predict.tiny_network import tiny_network


def with_weights(position: int) -> bytes:
    """Return a model with large weights, whose name comes before or after their numbers."""
    model = onnx.load_from_string(tiny_network())
    tensor = numpy_helper.from_array(np.zeros(10_000, np.float32), "large")
    model.graph.initializer.insert(position, tensor)
    model.graph.input.append(helper.make_tensor_value_info("large", tensor.data_type, tensor.dims))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("position", [0, 3])
def test_a_file_has_the_signature_of_its_content(position: int, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(with_weights(position))
    found = signature_of(path)
    assert found == signature_of(path.read_bytes())
    assert list(found.inputs) == ["input_0"]
    assert len(found.outputs) == 4


@pytest.mark.parametrize("length", [1, 30, 4000, 30_000, -9])
def test_a_file_that_is_cut_off_is_damaged(length: int, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(with_weights(0)[:length])
    with pytest.raises(ValueError, match="cut off"):
        signature_of(path)


def test_a_file_that_is_missing_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        signature_of(tmp_path / "model.onnx")
