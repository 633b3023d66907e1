"""Fit an ONNX model's input and output to what is done with it.

One more output holds all the maps that are wanted, in their order: a device then sends back only what is used, in one
piece, as it is kept. As for `cellscale.predict.onnx_file.pruning`, the file's protocol buffers are edited directly.
"""

from collections.abc import Sequence

from cellscale.predict.heads import Head
from cellscale.predict.onnx_file.protobuf import encoded_field, field_parts, message_fields
from cellscale.predict.tiles import TILE

__all__ = ["CHANNELS", "INPUT", "MAPS", "declared_output", "fixed_batch", "joined"]

INPUT = "input_0"
"""Name of the network's input."""

CHANNELS = 2
"""Nucleus, then membrane."""

MAPS = "cellscale_maps"
"""Name of the output that is added."""

# Field numbers and values from the onnx.proto of ONNX.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INTEGER, _ATTRIBUTE_TYPE, _TYPE_INTEGER = 1, 3, 20, 2
_TENSOR_DIMENSION, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_CONTENT, _TYPE_INT64 = 1, 2, 8, 9, 7
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _TENSOR_ELEMENT, _ELEMENT_FLOAT = 1, 2, 1, 1, 1
_TENSOR_SHAPE, _SHAPE_DIMENSION, _DIMENSION_VALUE = 2, 1, 1

_CHANNELS = 3
"""Axis of the network's outputs along which its maps lie."""


def joined(model: bytes, heads: Sequence[Head]) -> bytes:
    """Return the model with the further output `MAPS`: the heads' maps, one after another along the last axis.

    A damaged model is returned as it is, for ONNX Runtime to judge.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file that has the heads' outputs.
    heads
        Which maps.

    Returns
    -------
    Content of an ``.onnx`` file.
    """
    parts: list[bytes | memoryview] = []
    try:
        for number, payload, whole in message_fields(memoryview(model)):
            parts += _joined_graph(payload, heads) if number == _MODEL_GRAPH else [whole]
    except ValueError:
        return model
    return b"".join(parts)


def fixed_batch(model: bytes, size: int, tile: int = TILE) -> bytes:
    """Return the model with an input of exactly ``size`` tiles, for devices that plan their work beforehand.

    A damaged model is returned as it is, for ONNX Runtime to judge.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file with Mesmer's input.
    size
        Number of tiles.
    tile
        Rows and columns of a tile.

    Returns
    -------
    Content of an ``.onnx`` file.
    """
    try:
        parts = [
            _with_input(payload, _value(_GRAPH_INPUT, INPUT, (size, tile, tile, CHANNELS)))
            if number == _MODEL_GRAPH
            else whole
            for number, payload, whole in message_fields(memoryview(model))
        ]
    except ValueError:
        return model
    return b"".join(parts)


def declared_output(name: str) -> bytes:
    """Return a graph's field that makes one of its float32 values, of four dimensions, one of its outputs."""
    return _value(_GRAPH_OUTPUT, name, (None,) * 4)


def _with_input(graph: memoryview, declared: bytes) -> bytes:
    """Return the model's field that holds the graph, with another declaration of its input."""
    parts = [declared if number == _GRAPH_INPUT else whole for number, _, whole in message_fields(graph)]
    return encoded_field(_MODEL_GRAPH, b"".join(parts))


def _joined_graph(graph: memoryview, heads: Sequence[Head]) -> list[bytes | memoryview]:
    """Return the model's field that holds the graph, with the maps picked and put together at its end, in parts."""
    picked = [f"{MAPS}/{position}" for position in range(len(heads))]
    added = [_initializer(f"{MAPS}/channel_{index}", index) for index in sorted({head.index for head in heads})]
    added += [
        _node("Gather", [head.output, f"{MAPS}/channel_{head.index}"], name)
        for head, name in zip(heads, picked, strict=True)
    ]
    added += [_node("Concat", picked, MAPS), declared_output(MAPS)]
    return field_parts(_MODEL_GRAPH, [graph, *added])


def _node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    """Return a graph's field with a node that works along the axis of channels."""
    axis = (
        encoded_field(_ATTRIBUTE_NAME, "axis")
        + encoded_field(_ATTRIBUTE_INTEGER, _CHANNELS)
        + encoded_field(_ATTRIBUTE_TYPE, _TYPE_INTEGER)
    )
    names = b"".join(encoded_field(_NODE_INPUT, name) for name in inputs) + encoded_field(_NODE_OUTPUT, output)
    content = names + encoded_field(_NODE_OPERATOR, operator) + encoded_field(_NODE_ATTRIBUTE, axis)
    return encoded_field(_GRAPH_NODE, content)


def _initializer(name: str, value: int) -> bytes:
    """Return a graph's field with a constant: one 64-bit integer, as a list."""
    content = (
        encoded_field(_TENSOR_DIMENSION, 1)
        + encoded_field(_TENSOR_TYPE, _TYPE_INT64)
        + encoded_field(_TENSOR_NAME, name)
        + encoded_field(_TENSOR_CONTENT, value.to_bytes(8, "little"))
    )
    return encoded_field(_GRAPH_INITIALIZER, content)


def _value(number: int, name: str, shape: Sequence[int | None]) -> bytes:
    """Return a graph's field that declares an input or output: float32, with sizes to be inferred where None."""
    sizes = [b"" if size is None else encoded_field(_DIMENSION_VALUE, size) for size in shape]
    dimensions = b"".join(encoded_field(_SHAPE_DIMENSION, size) for size in sizes)
    tensor = encoded_field(_TENSOR_ELEMENT, _ELEMENT_FLOAT) + encoded_field(_TENSOR_SHAPE, dimensions)
    kind = encoded_field(_TYPE_TENSOR, tensor)
    return encoded_field(number, encoded_field(_VALUE_NAME, name) + encoded_field(_VALUE_TYPE, kind))
