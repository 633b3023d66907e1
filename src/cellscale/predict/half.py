"""A network's weights and intermediate values in float16, for cards whose matrix units are fast at it."""

from typing import Any

from cellscale.errors import RequestError

__all__ = ["in_float16"]


def in_float16(content: bytes) -> bytes:
    """Return a model that computes in float16, with input and outputs in float32 as before.

    Parameters
    ----------
    content
        Content of an ``.onnx`` file.

    Raises
    ------
    RequestError
        The package ``onnx`` is not installed.
    """
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
