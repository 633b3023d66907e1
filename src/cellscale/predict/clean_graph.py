"""Mesmer's graph with fewer multiplications, in standard operations alone, for devices that take no kernels of ours.

The maps are the same up to rounding. `docs/native-engine.md` has the algebra: a head's 1x1 convolution changes places
with the doubling after it, of a softmax only the class that is wanted is computed, and what the graph computes of
where a pixel lies, by operations that few devices have, is a constant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellscale.predict.heads import Head
from cellscale.predict.native.factors import Floats
from cellscale.predict.native.graph import Graph, Node
from cellscale.predict.native.heads import HeadWeights, head_weights
from cellscale.predict.native.recognition import convolution, require
from cellscale.predict.onnx_file.building import declared_input, declared_output, node, tensor
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT, MAPS
from cellscale.predict.onnx_file.model_file import model_bytes, model_content
from cellscale.predict.onnx_file.protobuf import encoded_field, message_fields
from cellscale.predict.onnx_file.pruning import connections
from cellscale.predict.tiles import TILE

__all__ = ["clean_graph", "device_content"]

# Field numbers from the onnx.proto of ONNX.
_MODEL_GRAPH, _MODEL_OPSET = 7, 8
_GRAPH_NODE, _GRAPH_NAME, _GRAPH_INITIALIZER = 1, 2, 5
_TENSOR_NAME = 8
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2
_OLDEST = 13
"""Version of ONNX's operations from which a sum's axes are an input."""

_OURS = "cellscale"
"""Begins the names of what is added."""
_SCALES, _ONE, _CHANNEL_AXIS = f"{_OURS}/scales", f"{_OURS}/one", f"{_OURS}/channel_axis"


def device_content(model: Path | str | bytes, heads: tuple[Head, ...]) -> bytes:
    """Return a model that computes all that the heads need into one output, with a clean graph if it is Mesmer's.

    Raises
    ------
    ModelError
        The file cannot be read.
    """
    content = model_bytes(model)
    try:
        return clean_graph(content, heads)
    except ValueError:
        return model_content(content, heads)


def clean_graph(model: bytes, heads: Sequence[Head]) -> bytes:
    """Return a model of the same maps, all in the output `MAPS`, that takes fewer multiplications.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    heads
        Which maps, in order.

    Raises
    ------
    ValueError
        The model is damaged, or its heads are none of Mesmer's; the message says where it differs.
    """
    graph = Graph.of(model)
    _require_operations(model)
    weights = [head_weights(graph, head) for head in heads]
    begin = _begin(graph)
    body = _needed(graph, {one.features for one in weights}, begin)
    parts = [
        declared_input(INPUT, CHANNELS),
        tensor(_SCALES, np.array([1, 1, 2, 2], np.float32)),
        tensor(_ONE, np.ones((), np.float32)),
        tensor(_CHANNEL_AXIS, np.array([1], np.int64)),
        *begin.parts,
        *_kept(model, body),
        *[part for place, one in enumerate(weights) for part in _head(one, f"{_OURS}/{place}")],
        node("Concat", [f"{_OURS}/{place}/map" for place in range(len(heads))], f"{_OURS}/maps", axis=1),
        node("Transpose", [f"{_OURS}/maps"], MAPS, perm=[0, 2, 3, 1]),
        declared_output(MAPS, len(heads)),
        encoded_field(_GRAPH_NAME, _OURS),
    ]
    return b"".join(
        encoded_field(_MODEL_GRAPH, b"".join(parts)) if number == _MODEL_GRAPH else whole
        for number, _, whole in message_fields(memoryview(model))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begin:
    """Fields of a graph that stand for a model's first nodes."""

    parts: Sequence[bytes] = ()
    made: str = ""
    """Name of the value of the model that they end with; empty where the model's own nodes stay."""


class _HeadNodes:
    """The nodes and constants of one head, as they are added."""

    def __init__(self, name: str) -> None:
        self.parts: list[bytes] = []
        self._name = name

    def convolution(
        self, source: str, made: str, weights: NDArray[np.float32], bias: NDArray[np.float32] | None = None
    ) -> str:
        """Add a convolution that keeps the map's size, and return what it makes; likewise the others."""
        inputs = [source, f"{self._name}/{made}/weights"]
        self.parts.append(tensor(inputs[-1], weights))
        if bias is not None:
            inputs.append(f"{self._name}/{made}/bias")
            self.parts.append(tensor(inputs[-1], bias))
        side = weights.shape[-1]
        return self.add("Conv", inputs, made, kernel_shape=[side, side], pads=[side // 2] * 4, strides=[1, 1])

    def doubled(self, source: str, made: str) -> str:
        """Add the doubling of rows and columns, bilinear between the centres of pixels."""
        words = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self.add("Resize", [source, "", _SCALES], made, **words)

    def add(self, operator: str, inputs: Sequence[str], made: str, **attributes: int | str | list[int]) -> str:
        """Add any node."""
        self.parts.append(node(operator, inputs, f"{self._name}/{made}", **attributes))
        return f"{self._name}/{made}"


def _head(weights: HeadWeights[Floats], name: str) -> list[bytes]:
    """Return a head whose 1x1 convolution comes before the last doubling; its map is ``<name>/map``."""
    first, second = (
        np.ascontiguousarray(taps.reshape(3, 3, 64, 64).transpose(2, 3, 0, 1))
        for taps in (weights.first, weights.second)
    )
    # The kernels' second row is blank where a map is no class's.
    rows = slice(0, 2 if weights.is_class else 1)
    last, last_bias = weights.last.reshape(2, 128, 1, 1)[rows], weights.last_bias[rows]
    nodes = _HeadNodes(name)
    small = nodes.convolution(nodes.doubled(weights.features, "double"), "first", first, weights.first_bias)
    middle = nodes.convolution(nodes.doubled(small, "double_2"), "second", second)
    mixed = nodes.convolution(middle, "third", weights.third.reshape(128, 64, 1, 1), weights.third_bias)
    found = nodes.convolution(
        nodes.add("Relu", [nodes.doubled(mixed, "double_3")], "rectified"), "last", last, last_bias
    )
    if not weights.is_class:
        nodes.add("Relu", [found], "map")
        return nodes.parts
    # exp(a1) / (exp(a0) + exp(a1) + exp(a2)), the differences to a1 being the weights' own.
    others = nodes.add("ReduceSum", [nodes.add("Exp", [found], "others"), _CHANNEL_AXIS], "sum", keepdims=1)
    nodes.add("Reciprocal", [nodes.add("Add", [others, _ONE], "all")], "map")
    return nodes.parts


def _begin(graph: Graph) -> _Begin:
    """Return what stands for the model's first convolutions, where they are told where a pixel lies; else nothing."""
    tile = next((one for one in graph.producers.values() if one.operator == "Tile"), None)
    try:
        return _Begin() if tile is None else _placed(graph, tile)
    except ValueError:
        return _Begin()


def _placed(graph: Graph, tile: Node) -> _Begin:
    """Return the first two convolutions as one, of the image alone, and a constant map for where a pixel lies.

    Raises
    ------
    ValueError
        They are others.
    """
    place = _one(graph, tile.outputs[0], "Concat")
    require(place, "axis", 3)
    if place.inputs != (INPUT, tile.outputs[0]):
        raise ValueError("the image does not come first")
    planes = _one(graph, place.outputs[0], "Transpose")
    require(planes, "perm", (0, 3, 1, 2))
    mixed = _one(graph, planes.outputs[0], "Conv").outputs[0]
    located = graph.constant(tile.inputs[0])
    if located.shape[:3] != (1, TILE, TILE):
        raise ValueError(f"where a pixel lies has the shape {located.shape}")
    mixing = convolution(graph, mixed, (None, CHANNELS + located.shape[3], 1, 1))
    made = _one(graph, mixed, "Conv").outputs[0]
    seen = convolution(graph, made, (None, mixing.columns, 7, 7), strides=[(2, 2)])
    mixture = mixing.weights[:, :, 0, 0].astype(np.float64)
    weights = np.einsum("nmrs,mc->ncrs", seen.weights.astype(np.float64), mixture[:, :CHANNELS])
    known = np.einsum("mc,yxc->myx", mixture[:, CHANNELS:], located[0].astype(np.float64))
    constant = _convolved(known + mixing.bias[:, None, None], seen.weights.astype(np.float64))
    constant += seen.bias[:, None, None]
    name = f"{_OURS}/begin"
    return _Begin(
        parts=[
            tensor(f"{name}/weights", weights.astype(np.float32)),
            tensor(f"{name}/places", constant[None].astype(np.float32)),
            node("Transpose", [INPUT], f"{name}/planes", perm=[0, 3, 1, 2]),
            node(
                "Conv",
                [f"{name}/planes", f"{name}/weights"],
                f"{name}/seen",
                kernel_shape=[7, 7],
                pads=[3] * 4,
                strides=[2, 2],
            ),
            node("Add", [f"{name}/seen", f"{name}/places"], made),
        ],
        made=made,
    )


def _convolved(planes: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return planes convolved with a stride of 2, zeros around them."""
    margin = weights.shape[-1] // 2
    padded = np.pad(planes, ((0, 0), (margin, margin), (margin, margin)))
    rows, columns = planes.shape[1:]
    found = np.zeros((len(weights), rows // 2, columns // 2))
    for row, column in np.ndindex(weights.shape[2:]):
        seen = padded[:, row : row + rows : 2, column : column + columns : 2]
        found += np.tensordot(weights[:, :, row, column], seen, axes=1)
    return found


def _one(graph: Graph, name: str, operator: str) -> Node:
    """Return the only node that takes a value, which has to be one of an operation."""
    users = {id(user): user for user in graph.producers.values() if name in user.inputs}
    if len(users) != 1 or (user := next(iter(users.values()))).operator != operator:
        raise ValueError(f"{name} is used by {[user.operator for user in users.values()]}; expected {operator}")
    return user


def _needed(graph: Graph, features: set[str], begin: _Begin) -> set[str]:
    """Return the names of all values that features are made of, but for what another beginning makes."""
    needed: set[str] = set()
    waiting = list(features)
    while waiting:
        name = waiting.pop()
        if name not in needed and name != begin.made:
            needed.add(name)
            found = graph.producers.get(name)
            waiting += found.inputs if found is not None else ()
    return needed


def _kept(model: bytes, needed: set[str]) -> list[bytes]:
    """Return the fields of a model's nodes and constants that make some values."""
    kept = []
    for number, payload, _ in message_fields(memoryview(model)):
        for kind, part, whole in message_fields(payload) if number == _MODEL_GRAPH else ():
            if not _made(kind, part).isdisjoint(needed):
                kept.append(bytes(whole))
    return kept


def _made(kind: int, part: memoryview) -> set[str]:
    """Return the names of what a field of a graph makes, a node or a constant."""
    if kind == _GRAPH_NODE:
        return connections(part)[1]
    found = message_fields(part) if kind == _GRAPH_INITIALIZER else ()
    return {bytes(payload).decode() for number, payload, _ in found if number == _TENSOR_NAME}


def _require_operations(model: bytes) -> None:
    """Raise `ValueError` where the model's operations are of a version that has others than ours."""
    for number, payload, _ in message_fields(memoryview(model)):
        if number == _MODEL_OPSET:
            facts = {kind: bytes(part) for kind, part, _ in message_fields(payload)}
            version = facts.get(_OPSET_VERSION, b"\0")
            if not facts.get(_OPSET_DOMAIN) and version[0] < _OLDEST:
                raise ValueError(f"its operations are of version {version[0]}; {_OLDEST} or newer expected")
