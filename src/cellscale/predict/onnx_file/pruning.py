"""Cut an ONNX model down to what some of its outputs need.

ONNX Runtime computes every node of the graph it is given, whichever outputs are asked for. Nodes are taken out of the
file's protocol buffers directly: of the format only field numbers are needed, not the ``onnx`` package.
"""

from collections.abc import Collection

from cellscale.predict.onnx_file.protobuf import encoded_field, message_fields

__all__ = ["connections", "pruned"]

# Field numbers from the onnx.proto of ONNX.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_OUTPUT = 1, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_ATTRIBUTE = 1, 2, 5
_ATTRIBUTE_GRAPHS = {6, 11}
_VALUE_NAME = 1


def pruned(model: bytes, outputs: Collection[str]) -> bytes:
    """Return the model with only the given outputs and the nodes that they depend on.

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
    Content of an ``.onnx`` file; the weights that are no longer used are still in it.
    """
    try:
        fields = [
            _pruned_graph(payload, set(outputs)) if number == _MODEL_GRAPH else field
            for number, payload, field in message_fields(memoryview(model))
        ]
    except ValueError:
        return model
    return b"".join(fields)


def _pruned_graph(graph: memoryview, outputs: set[str]) -> bytes:
    """Return the model's field that holds the graph, pruned; `ValueError` where that cannot be done."""
    fields = list(message_fields(graph))
    found = {_name(payload) for number, payload, _ in fields if number == _GRAPH_OUTPUT}
    if not outputs <= found:
        raise ValueError(f"the graph has no output {outputs - found}")
    needed, kept = set(outputs), []
    # Nodes are stored in the order of computation, so that backwards each comes after all that use it.
    for number, payload, field in reversed(fields):
        if number == _GRAPH_OUTPUT and _name(payload) not in outputs:
            continue
        if number == _GRAPH_NODE:
            inputs, results = connections(payload)
            if needed.isdisjoint(results):
                continue
            needed |= inputs
        kept.append(field)
    content = b"".join(reversed(kept))
    return encoded_field(_MODEL_GRAPH, content)


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


def _text(payload: memoryview) -> str:
    return bytes(payload).decode()
