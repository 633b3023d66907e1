"""The weights of one head, as its kernels take them, from the graph of a model.

Heads are recognised by what they compute: from the network's output back, operation by operation, with the shapes of
their weights. So any weights that were trained in this graph are found, whatever their nodes are called.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.heads import Head
from cellscale.predict.native.graph import Attribute, Graph, Node
from cellscale.predict.native.products import Floats

__all__ = ["HeadWeights", "head_weights"]

_CLASSES = 3
_INTERIOR = 1
"""The class whose probability is wanted."""


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """Weights of one head, float32 and flat; `cellscale.predict.native.head.compute_head` tells their shapes."""

    features: str
    """Name of what the body gives to the head."""
    first: Floats
    first_bias: Floats
    second: Floats
    third: Floats
    third_bias: Floats
    last: Floats
    last_bias: Floats
    is_class: bool
    """Whether the map is a class's probability."""


def head_weights(graph: Graph, head: Head) -> HeadWeights:
    """Return the weights of a head.

    Parameters
    ----------
    graph
        The model's.
    head
        Which of its maps.

    Raises
    ------
    ValueError
        It is not a head of Mesmer's; the message says where it differs.
    """
    is_class = head.kind == "interior"
    node = _producer(graph, head.output, "Transpose", "Reshape")
    if node.operator == "Transpose":
        _require(node, "perm", (0, 2, 3, 1))
    if is_class:
        node = _producer(graph, node.inputs[0], "Softmax")
        _require(node, "axis", 1)
    else:
        node = _producer(graph, node.inputs[0], "Relu")
    source, last, last_bias = _convolution(graph, node.inputs[0], (_CLASSES if is_class else 1, 128, 1, 1))
    node = _producer(graph, source, "Relu")
    source, third, third_bias = _convolution(graph, node.inputs[0], (128, 64, 1, 1))
    source, second, second_bias = _convolution(graph, _undoubled(graph, source), (64, 64, 3, 3))
    source, first, first_bias = _convolution(graph, _undoubled(graph, source), (64, 64, 3, 3))
    features = _undoubled(graph, source)
    if is_class:
        # The softmax of class 1 is 1 / (1 + sum exp(a_k - a_1)): only how much the others exceed it matters.
        others = [index for index in range(_CLASSES) if index != _INTERIOR]
        last = last[others] - last[_INTERIOR]
        last_bias = last_bias[others] - last_bias[_INTERIOR]
    else:
        last = np.concatenate((last, np.zeros_like(last)))
        last_bias = np.concatenate((last_bias, np.zeros_like(last_bias)))
    # What the second convolution adds is the same everywhere, so that doubling and the product carry it along.
    third_bias = third_bias + third[:, :, 0, 0] @ second_bias
    return HeadWeights(
        features,
        _flat(first.transpose(2, 3, 0, 1)),
        _flat(first_bias),
        _flat(second.transpose(2, 3, 0, 1)),
        _flat(third),
        _flat(third_bias),
        _flat(last),
        _flat(last_bias),
        is_class,
    )


def _flat(values: NDArray[np.float64]) -> Floats:
    return np.ascontiguousarray(values, np.float32).reshape(-1)


def _producer(graph: Graph, name: str, *operators: str) -> Node:
    node = graph.producers.get(name)
    if node is None or node.operator not in operators:
        found = "nothing" if node is None else node.operator
        raise ValueError(f"{name} comes from {found}; expected {' or '.join(operators)}")
    return node


def _require(node: Node, name: str, *allowed: Attribute | None) -> None:
    """Raise `ValueError` unless an attribute has one of some values; None: it is left out."""
    found = node.attributes.get(name)
    if found not in allowed:
        raise ValueError(f"{node.operator} of {node.outputs[0]} has {name} {found}; expected {allowed[0]}")


def _convolution(
    graph: Graph, name: str, shape: Sequence[int]
) -> tuple[str, NDArray[np.float64], NDArray[np.float64]]:
    """Return the input, the weights and the bias of a convolution that keeps its input's rows and columns."""
    node = _producer(graph, name, "Conv")
    if len(node.inputs) != 3:
        raise ValueError(f"Conv of {name} has {len(node.inputs)} inputs; expected one, weights and a bias")
    margin = shape[-1] // 2
    _require(node, "pads", (margin,) * 4, *([None] if margin == 0 else []))
    _require(node, "auto_pad", "NOTSET", None)
    _require(node, "strides", (1, 1), None)
    _require(node, "dilations", (1, 1), None)
    _require(node, "group", 1, None)
    weights, bias = (graph.constant(part).astype(np.float64) for part in node.inputs[1:])
    if weights.shape != tuple(shape) or bias.shape != (shape[0],):
        raise ValueError(f"Conv of {name} has weights {list(weights.shape)}; expected {list(shape)}")
    return node.inputs[0], weights, bias


def _undoubled(graph: Graph, name: str) -> str:
    """Return the name of the map that is doubled, bilinear between the centres of pixels."""
    node = _producer(graph, name, "Resize")
    _require(node, "mode", "linear")
    _require(node, "coordinate_transformation_mode", "half_pixel", None)
    _require(node, "antialias", 0, None)
    if len(node.inputs) != 3 or graph.constant(node.inputs[2]).tolist() != [1, 1, 2, 2]:
        raise ValueError(f"Resize of {name} does not double rows and columns by a constant scale")
    return node.inputs[0]
