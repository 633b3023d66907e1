"""Cut an ONNX model down to what some of its outputs need.

ONNX Runtime computes every node of the graph it is given, whichever outputs are asked for. Nodes are taken out of the
file's protocol buffers directly: of the format only field numbers are needed, not the ``onnx`` package.
"""

from collections.abc import Collection

from cellscale.predict.onnx_file.protobuf import field_parts, message_fields

__all__ = ["connections", "cut", "pruned"]

# Field numbers from the onnx.proto of ONNX.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_ATTRIBUTE = 1, 2, 5
_ATTRIBUTE_GRAPHS = {6, 11}
_VALUE_NAME, _TENSOR_NAME = 1, 8


def pruned(model: bytes, outputs: Collection[str]) -> bytes:
    """Return the model with only the given outputs, and the nodes and weights that they depend on.

    A model that lacks one of the outputs, has nodes with graphs of their own, or is damaged is returned as it is, for
    ONNX Runtime to judge.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    outputs
        Names of graph outputs.

    Returns
    -------
    Content of an ``.onnx`` file.
    """
    try:
        return cut(model, outputs)
    except ValueError:
        return model


def cut(model: bytes, outputs: Collection[str], declared: bytes = b"") -> bytes:
    """Return what `pruned` returns.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    outputs
        Names of graph outputs.
    declared
        Further fields of the graph, which declare outputs.

    Raises
    ------
    ValueError
        The model lacks one of the outputs, has nodes with graphs of their own, or is damaged.
    """
    parts: list[bytes | memoryview] = []
    for number, payload, field in message_fields(memoryview(model)):
        parts += _pruned_graph(payload, set(outputs), declared) if number == _MODEL_GRAPH else [field]
    return b"".join(parts)


def _pruned_graph(graph: memoryview, outputs: set[str], declared: bytes) -> list[bytes | memoryview]:
    """Return the model's field that holds the graph, pruned, in parts; `ValueError` where that cannot be done."""
    fields = [*message_fields(graph), *message_fields(memoryview(declared))]
    found = {_name(payload) for number, payload, _ in fields if number == _GRAPH_OUTPUT}
    if not outputs <= found:
        raise ValueError(f"the graph has no output {outputs - found}")
    weights = {_tensor_name(payload) for number, payload, _ in fields if number == _GRAPH_INITIALIZER}
    needed: set[str] = set(outputs)
    nodes: set[int] = set()
    # Nodes are stored in the order of computation, so that backwards each comes after all that use it.
    for index, (number, payload, _) in reversed([*enumerate(fields)]):
        if number == _GRAPH_NODE:
            inputs, results = connections(payload)
            if not needed.isdisjoint(results):
                needed |= inputs
                nodes.add(index)
    left_out = weights - needed
    kept: list[bytes | memoryview] = []
    for index, (number, payload, field) in enumerate(fields):
        is_left_out = (
            (number == _GRAPH_NODE and index not in nodes)
            or (number == _GRAPH_OUTPUT and _name(payload) not in outputs)
            or (number == _GRAPH_INITIALIZER and _tensor_name(payload) in left_out)
            # Old files name weights among the inputs, where they would be asked for as such.
            or (number == _GRAPH_INPUT and _name(payload) in left_out)
        )
        if not is_left_out:
            kept.append(field)
    return field_parts(_MODEL_GRAPH, kept)


def connections(node: memoryview) -> tuple[set[str], set[str]]:
    """Return the names of a node's inputs and outputs."""
    inputs, results = set(), set()
    for number, payload, _ in message_fields(node):
        if number == _NODE_INPUT:
            inputs.add(_text(payload))
        elif number == _NODE_OUTPUT:
            results.add(_text(payload))
        elif number == _NODE_ATTRIBUTE and any(part in _ATTRIBUTE_GRAPHS for part, _, _ in message_fields(payload)):
            raise ValueError("a node with a graph of its own may use names that it does not list")
    return inputs, results - {""}


def _name(value: memoryview) -> str:
    """Return the name of a graph's input or output."""
    return next((_text(payload) for number, payload, _ in message_fields(value) if number == _VALUE_NAME), "")


def _tensor_name(tensor: memoryview) -> str:
    return next((_text(payload) for number, payload, _ in message_fields(tensor) if number == _TENSOR_NAME), "")


def _text(payload: memoryview) -> str:
    return bytes(payload).decode()
