"""A model cut down to its body: what all heads have in common, up to the features that each of them begins with."""

from collections.abc import Sequence

from cellscale.predict.onnx_file.joining import declared_output
from cellscale.predict.onnx_file.protobuf import encoded_field, message_fields
from cellscale.predict.onnx_file.pruning import pruned

__all__ = ["body_of"]

_MODEL_GRAPH = 7
"""Field number from the onnx.proto of ONNX."""


def body_of(model: bytes, features: Sequence[str]) -> bytes:
    """Return a model whose outputs are some of the given one's intermediate values.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    features
        Names of the values: float32 ``(n, channels, rows, columns)``.

    Raises
    ------
    ValueError
        The model is damaged.
    """
    added = b"".join(declared_output(name) for name in dict.fromkeys(features))
    parts = [
        encoded_field(_MODEL_GRAPH, bytes(payload) + added) if number == _MODEL_GRAPH else whole
        for number, payload, whole in message_fields(memoryview(model))
    ]
    return pruned(b"".join(parts), features)
