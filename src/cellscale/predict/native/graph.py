"""The graph of an ONNX file: its nodes, and its constants where somebody asks for them.

As for `cellscale.predict.onnx_file.pruning`, the file's protocol buffers are read directly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.onnx_file.protobuf import decoded_integers, message_fields

__all__ = ["Attribute", "Graph", "Node"]

# Field numbers and values from the onnx.proto of ONNX.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INTEGER, _ATTRIBUTE_TEXT, _ATTRIBUTE_INTEGERS = 1, 3, 4, 8
_TENSOR_DIMENSION, _TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 4, 8, 9
_ELEMENT_FLOAT = 1

Attribute: TypeAlias = int | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]
    """Those that are integers, lists of integers or text."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A model's graph."""

    producers: dict[str, Node]
    """The nodes by the names of what they produce."""
    tensors: dict[str, memoryview]
    """The constants by name, as they are stored."""

    @classmethod
    def of(cls, model: bytes) -> Self:
        """Read the graph of a model.

        Parameters
        ----------
        model
            Content of an ``.onnx`` file.

        Raises
        ------
        ValueError
            The file is damaged.
        """
        producers: dict[str, Node] = {}
        tensors: dict[str, memoryview] = {}
        for _, payload in _fields(memoryview(model), _MODEL_GRAPH):
            for number, part in _fields(payload, _GRAPH_NODE, _GRAPH_INITIALIZER):
                if number == _GRAPH_NODE:
                    node = _node(part)
                    producers |= dict.fromkeys(node.outputs, node)
                else:
                    tensors |= {_text(name): part for _, name in _fields(part, _TENSOR_NAME)}
        return cls(producers, tensors)

    def constant(self, name: str) -> NDArray[np.float32]:
        """Return a constant of float32.

        Raises
        ------
        ValueError
            There is none of this name, or it is of another type or not in the file.
        """
        if name not in self.tensors:
            raise ValueError(f"{name} is no constant")
        shape: list[int] = []
        kind: int = 0
        contents: list[memoryview] = []
        for number, payload, _ in message_fields(self.tensors[name]):
            if number == _TENSOR_DIMENSION:
                shape += decoded_integers(payload)
            elif number == _TENSOR_TYPE:
                (kind,) = decoded_integers(payload)
            elif number in (_TENSOR_FLOATS, _TENSOR_RAW):
                contents.append(payload)
        # The file's own memory where it is in one piece, as it always is in practice: networks are large.
        content = contents[0] if len(contents) == 1 else b"".join(contents)
        if kind != _ELEMENT_FLOAT or len(content) != 4 * int(np.prod(shape)):
            raise ValueError(f"the constant {name} is not an array of float32 in the file")
        return np.frombuffer(content, "<f4").reshape(shape).astype(np.float32, copy=False)


def _fields(message: memoryview, *numbers: int) -> Iterator[tuple[int, memoryview]]:
    """Yield the number and the payload of the fields of some numbers."""
    return ((number, payload) for number, payload, _ in message_fields(message) if number in numbers)


def _node(message: memoryview) -> Node:
    names: dict[int, list[str]] = {_NODE_INPUT: [], _NODE_OUTPUT: [], _NODE_OPERATOR: []}
    attributes: dict[str, Attribute] = {}
    for number, payload, _ in message_fields(message):
        if number in names:
            names[number].append(_text(payload))
        elif number == _NODE_ATTRIBUTE:
            attributes |= _attribute(payload)
    operator = "".join(names[_NODE_OPERATOR])
    return Node(operator, tuple(names[_NODE_INPUT]), tuple(names[_NODE_OUTPUT]), attributes)


def _attribute(message: memoryview) -> dict[str, Attribute]:
    """Return an attribute's name with its value; nothing where it is of another kind."""
    name = ""
    value: int | str | None = None
    integers: list[int] = []
    for number, payload, _ in message_fields(message):
        if number == _ATTRIBUTE_NAME:
            name = _text(payload)
        elif number == _ATTRIBUTE_INTEGER:
            (value,) = decoded_integers(payload)
        elif number == _ATTRIBUTE_TEXT:
            value = _text(payload)
        elif number == _ATTRIBUTE_INTEGERS:
            integers += decoded_integers(payload)
    found = value if value is not None else tuple(integers) or None
    return {} if found is None else {name: found}


def _text(payload: memoryview) -> str:
    return bytes(payload).decode()
