"""Other names for the values of an ONNX graph, inputs and outputs among them."""

from collections.abc import Mapping

from cellscale.predict.onnx_file.protobuf import encoded_field, message_fields

__all__ = ["renamed", "renamed_field"]

# Field numbers from the onnx.proto of ONNX.
_MODEL_GRAPH, _MODEL_FACT = 7, 14
_FACT_KEY, _FACT_VALUE = 1, 2
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_OUTPUT, _TENSOR_NAME, _VALUE_NAME = 1, 2, 8, 1

_NAMES = {
    _GRAPH_NODE: {_NODE_INPUT, _NODE_OUTPUT},
    _GRAPH_INITIALIZER: {_TENSOR_NAME},
    _GRAPH_INPUT: {_VALUE_NAME},
    _GRAPH_OUTPUT: {_VALUE_NAME},
    _GRAPH_VALUE: {_VALUE_NAME},
}
"""Fields of a graph that name values, and which of their own fields do."""


def renamed(model: bytes, names: Mapping[str, str], facts: Mapping[str, str]) -> bytes:
    """Return a model whose values have other names, with more facts beside the graph.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    names
        New names by old ones. A value that has one of the new names already gets another.
    facts
        Texts by name.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    given = {old: new for old, new in names.items() if old != new}
    every = {new: f"{new}/own" for new in given.values()} | given
    parts = [
        encoded_field(_MODEL_GRAPH, b"".join(renamed_field(*field, every) for field in message_fields(payload)))
        if number == _MODEL_GRAPH
        else whole
        for number, payload, whole in message_fields(memoryview(model))
    ]
    parts += [
        encoded_field(_MODEL_FACT, encoded_field(_FACT_KEY, key) + encoded_field(_FACT_VALUE, text))
        for key, text in facts.items()
    ]
    return b"".join(parts)


def renamed_field(
    number: int, payload: memoryview, whole: memoryview, names: Mapping[str, str]
) -> bytes | memoryview:
    """Return a field of a graph with other names of values; as it is where it names none."""
    if number not in _NAMES:
        return whole
    parts = [
        encoded_field(inner, names[bytes(text).decode()])
        if inner in _NAMES[number] and bytes(text).decode() in names
        else field
        for inner, text, field in message_fields(payload)
    ]
    return encoded_field(number, b"".join(parts))
