"""Fixtures of the pipeline's tests."""

import pytest

from tests.predict.tiny_network import write_tiny_network


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Path of the tiny network."""
    return write_tiny_network(tmp_path_factory.mktemp("tiny") / "tiny.onnx")
