"""Parts of a graph that are recognised by what they compute: operations, attributes, and shapes of weights.

So any weights that were trained in a graph are found, whatever its nodes are called. What differs raises a
`ValueError` whose message says where.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.native.graph import Attribute, Graph, Node

__all__ = ["Convolution", "convolution", "producer", "require", "undoubled"]


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A convolution that was found in a graph."""

    source: str
    """Name of its input."""
    weights: NDArray[np.float32]
    """``(output channels, input channels, rows, columns)``."""
    bias: NDArray[np.float32]
    stride: int

    @property
    def depth(self) -> int:
        """Input channels."""
        return int(self.weights.shape[1])

    @property
    def columns(self) -> int:
        """Output channels."""
        return int(self.weights.shape[0])


def producer(graph: Graph, name: str, *operators: str) -> Node:
    """Return the node that makes a value, which has to be one of some operations."""
    node = graph.producers.get(name)
    if node is None or node.operator not in operators:
        found = "nothing" if node is None else node.operator
        raise ValueError(f"{name} comes from {found}; expected {' or '.join(operators)}")
    return node


def require(node: Node, name: str, *allowed: Attribute | None) -> None:
    """Raise `ValueError` unless an attribute has one of some values; None: it is left out."""
    found = node.attributes.get(name)
    if found not in allowed:
        raise ValueError(f"{node.operator} of {node.outputs[0]} has {name} {found}; expected {allowed[0]}")


def convolution(
    graph: Graph, name: str, shape: Sequence[int | None], *, strides: Sequence[tuple[int, int]] = ((1, 1),)
) -> Convolution:
    """Return the convolution that makes a value; zeros around it are such that only a stride makes its map smaller.

    Parameters
    ----------
    graph
        The model's.
    name
        The value.
    shape
        Of its weights; None for any size.
    strides
        Which may be; the first is what messages say.
    """
    node = producer(graph, name, "Conv")
    if len(node.inputs) != 3:
        raise ValueError(f"Conv of {name} has {len(node.inputs)} inputs; expected one, weights and a bias")
    margin = (shape[-1] or 1) // 2
    require(node, "pads", (margin,) * 4, *([None] if margin == 0 else []))
    require(node, "auto_pad", "NOTSET", None)
    require(node, "strides", *strides, None)
    require(node, "dilations", (1, 1), None)
    require(node, "group", 1, None)
    weights, bias = (graph.constant(part) for part in node.inputs[1:])
    fits = weights.ndim == len(shape) and all(
        size in (None, found) for size, found in zip(shape, weights.shape, strict=True)
    )
    if not fits or bias.shape != weights.shape[:1]:
        expected = ["any" if size is None else size for size in shape]
        raise ValueError(f"Conv of {name} has weights {list(weights.shape)}; expected {expected}")
    stride = node.attributes.get("strides")
    return Convolution(node.inputs[0], weights, bias, stride[0] if isinstance(stride, tuple) else 1)


def undoubled(graph: Graph, name: str) -> str:
    """Return the name of the map that is doubled, bilinear between the centres of pixels."""
    node = producer(graph, name, "Resize")
    require(node, "mode", "linear")
    require(node, "coordinate_transformation_mode", "half_pixel", None)
    require(node, "antialias", 0, None)
    if len(node.inputs) != 3 or graph.constant(node.inputs[2]).tolist() != [1, 1, 2, 2]:
        raise ValueError(f"Resize of {name} does not double rows and columns by a constant scale")
    return node.inputs[0]
