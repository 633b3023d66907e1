"""A network's weights and intermediate values in float16, for cards whose matrix units are fast at it."""

from typing import Any

import onnxruntime

from cellscale.errors import RequestError

__all__ = ["OLDEST", "in_float16"]

OLDEST = (1, 29)
"""ONNX Runtime from which its conversion was seen to work; until 1.24 it gives two values one name."""


def in_float16(content: bytes) -> bytes:
    """Return a model that computes in float16, with input and outputs in float32 as before.

    Parameters
    ----------
    content
        Content of an ``.onnx`` file.

    Raises
    ------
    RequestError
        The package ``onnx`` is not installed, or ONNX Runtime is too old.
    """
    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) < OLDEST:
        raise RequestError(
            f"--precision fp16 needs ONNX Runtime {'.'.join(map(str, OLDEST))} or newer; "
            f"{onnxruntime.__version__} is installed: take a newer one, or --precision float32"
        )
    try:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ModuleNotFoundError as error:
        raise RequestError(
            f"--precision fp16 needs the Python package {error.name}, which is not installed; get it with: "
            "pip install onnx"
        ) from error
    model: Any = convert_float_to_float16(onnx.load_from_string(content), keep_io_types=True)
    return bytes(model.SerializeToString())
