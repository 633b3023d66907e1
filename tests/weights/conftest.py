"""Fixtures of the tests of weights."""

from tests.weights.fixtures import cache, onnx_file, tiny, wheel_file

__all__ = ["cache", "onnx_file", "tiny", "wheel_file"]
