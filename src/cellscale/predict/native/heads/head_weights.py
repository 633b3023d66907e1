"""The weights of one head, as its kernels take them, from the graph of a model.

Heads are recognised from the network's output back, operation by operation.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.heads import Head
from cellscale.predict.native.factors import FactorKind, Factors, Floats, paired
from cellscale.predict.native.graph import Graph
from cellscale.predict.native.matrices import PIECES, left_matrices
from cellscale.predict.native.memory import aligned
from cellscale.predict.native.recognition import convolution, producer, require, undoubled

__all__ = ["HeadWeights", "as_kind", "head_weights"]

_F_co = TypeVar("_F_co", bound=Factors, covariant=True)

_CLASSES = 3
_INTERIOR = 1
"""The class whose probability is wanted."""


@dataclass(frozen=True, slots=True)
class HeadWeights(Generic[_F_co]):
    """Weights of one head, flat; `cellscale.predict.native.heads.head.compute_head` tells their shapes."""

    features: str
    """Name of what the body gives to the head."""
    first: _F_co
    first_bias: Floats
    second: _F_co
    third: _F_co
    third_bias: Floats
    last: Floats
    last_bias: Floats
    is_class: bool
    """Whether the map is a class's probability."""


def head_weights(graph: Graph, head: Head) -> HeadWeights[Floats]:
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
    node = producer(graph, head.output, "Transpose", "Reshape")
    if node.operator == "Transpose":
        require(node, "perm", (0, 2, 3, 1))
    if is_class:
        node = producer(graph, node.inputs[0], "Softmax")
        require(node, "axis", 1)
    else:
        node = producer(graph, node.inputs[0], "Relu")
    fourth = convolution(graph, node.inputs[0], (_CLASSES if is_class else 1, 128, 1, 1))
    node = producer(graph, fourth.source, "Relu")
    third = convolution(graph, node.inputs[0], (128, 64, 1, 1))
    second = convolution(graph, undoubled(graph, third.source), (64, 64, 3, 3))
    first = convolution(graph, undoubled(graph, second.source), (64, 64, 3, 3))
    last, last_bias = fourth.weights.astype(np.float64), fourth.bias.astype(np.float64)
    if is_class:
        # The softmax of class 1 is 1 / (1 + sum exp(a_k - a_1)): only how much the others exceed it matters.
        others = [index for index in range(_CLASSES) if index != _INTERIOR]
        last = last[others] - last[_INTERIOR]
        last_bias = last_bias[others] - last_bias[_INTERIOR]
    else:
        last = np.concatenate((last, np.zeros_like(last)))
        last_bias = np.concatenate((last_bias, np.zeros_like(last_bias)))
    # What the second convolution adds is the same everywhere, so that doubling and the product carry it along.
    third_bias = third.bias + third.weights[:, :, 0, 0].astype(np.float64) @ second.bias
    return HeadWeights(
        undoubled(graph, first.source),
        _flat(first.weights.transpose(2, 3, 0, 1)),
        _flat(first.bias),
        _flat(second.weights.transpose(2, 3, 0, 1)),
        _flat(third.weights),
        _flat(third_bias),
        _flat(last),
        _flat(last_bias),
        is_class,
    )


def as_kind(weights: HeadWeights[Floats], kind: FactorKind) -> HeadWeights[Factors]:
    """Return the weights with those of products of 64 channels as some kind of factors."""

    def laid_out(given: Floats) -> Factors:
        if kind in PIECES:
            return left_matrices(given.reshape(-1, 64), PIECES[kind])
        return paired(given) if kind == "pairs" else given

    return HeadWeights(
        weights.features,
        laid_out(weights.first),
        weights.first_bias,
        laid_out(weights.second),
        laid_out(weights.third),
        weights.third_bias,
        weights.last,
        weights.last_bias,
        weights.is_class,
    )


def _flat(values: NDArray[np.floating]) -> Floats:
    # A copy in any case: what may only be read, as a file's content, is of another type to numba.
    return aligned(values.astype(np.float32, copy=False))
