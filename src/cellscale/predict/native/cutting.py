"""A model cut down to its body: what all heads have in common, up to the features that each of them begins with."""

from collections.abc import Sequence

from cellscale.predict.onnx_file.joining import declared_output
from cellscale.predict.onnx_file.pruning import cut

__all__ = ["body_of"]


def body_of(model: bytes, features: Sequence[str]) -> bytes:
    """Return what of a model makes some of its intermediate values, which become its outputs.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    features
        Names of the values: float32 ``(n, channels, rows, columns)``.

    Raises
    ------
    ValueError
        The model is damaged, or has nodes with graphs of their own.
    """
    return cut(model, features, b"".join(declared_output(name) for name in dict.fromkeys(features)))
