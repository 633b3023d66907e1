"""Fixtures of the tests of the command line."""

from tests.weights.fixtures import cache, onnx_file, tiny

__all__ = ["cache", "onnx_file", "tiny"]
