"""The weights of Mesmer's body, a residual network with a feature pyramid, from the graph of a model.

It is followed from the heads' features back to the first bottleneck; what comes before that is left to ONNX Runtime.
The numbers of bottlenecks and of channels may be others than Mesmer's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from cellscale.predict.native.body.matrix_convolutions import MatrixNeighbours, MatrixPointwise
from cellscale.predict.native.body.pointwise import PANEL, Pointwise
from cellscale.predict.native.body.winograd import Winograd
from cellscale.predict.native.factors import FactorKind, Floats
from cellscale.predict.native.graph import Graph
from cellscale.predict.native.matrices import PIECES
from cellscale.predict.native.memory import Room
from cellscale.predict.native.recognition import Convolution, convolution, producer, undoubled

__all__ = ["STEM_SIDE", "BodyWeights", "Bottleneck", "FoundBody", "PixelConvolution", "find_body"]

STEM_SIDE: Final = 64
"""Rows and columns of the first bottleneck's input."""

_LEVEL_SIDES: Final = (32, 16, 8)
"""Of the maps that the pyramid is built from."""

_SMALLEST_FOR_4: Final = 16
"""From this side on, tiles of 4 x 4 are taken. Below, there are too few for their larger weights: 113 MB for Mesmer's
last three instead of 50 MB, with hardly less time."""


class PixelConvolution(Protocol):
    """A 1 x 1 convolution; see `cellscale.predict.native.body.pointwise.Pointwise`."""

    @property
    def depth(self) -> int:
        """Input channels."""

    @property
    def columns(self) -> int:
        """Output channels."""

    def apply(self, source: Floats, target: Floats, *, adds: bool = False, rectifies: bool = False) -> None:
        """Write the convolution of a map."""


class NeighbourConvolution(Protocol):
    """A 3 x 3 convolution; see `cellscale.predict.native.body.winograd.Winograd`."""

    @property
    def columns(self) -> int:
        """Output channels."""

    def apply(
        self, source: Floats, side: int, target: Floats, room: Room, *, tiles: int = 1, rectifies: bool = False
    ) -> None:
        """Write the convolution of maps."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Three convolutions beside a shortcut: what they add to it is rectified."""

    stride: int
    """Of the first convolution and the shortcut's."""
    first: PixelConvolution
    second: NeighbourConvolution
    third: PixelConvolution
    shortcut: PixelConvolution | None
    """None where the input is the shortcut."""


@dataclass(frozen=True, slots=True)
class BodyWeights:
    """Weights of the body, from its first bottleneck on."""

    large: tuple[Bottleneck, ...]
    """Bottlenecks whose maps have at least 32 rows."""
    deep: tuple[Bottleneck, ...]
    """Those that follow. Their maps are small and their weights large."""
    largest_lateral: PixelConvolution
    """The pyramid's 1 x 1 convolution that follows the last of the large ones."""
    laterals: dict[int, PixelConvolution]
    """Its others, by the number of the deep one that each follows."""
    merged: NeighbourConvolution
    """The convolution of the pyramid's largest map."""
    features: NeighbourConvolution
    """The convolutions that begin the heads, as one: 64 output channels for each."""


_FIRST: Final[dict[FactorKind, FactorKind]] = {"pairs": "floats", "matrices": "fine matrices"}
"""What the first bottleneck's weights are laid out as."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A bottleneck as it is in the graph."""

    output: str
    first: Convolution
    second: Convolution
    third: Convolution
    shortcut: Convolution | None

    def require_channels(self, given: int) -> None:
        """Raise `ValueError` unless its parts fit together, and an input of ``given`` channels."""
        _require_depth(self.first, given)
        _require_depth(self.second, self.first.columns)
        _require_depth(self.third, self.second.columns)
        for part in (self.first, self.second, self.third):
            _require_panels(part)
        if self.shortcut is not None:
            _require_depth(self.shortcut, given)
        elif self.third.columns != given:
            raise ValueError(f"{self.output} adds {self.third.columns} channels to {given}")

    def laid_out(self, side: int, kind: FactorKind) -> Bottleneck:
        """Return it as it is computed on maps of ``side`` rows."""
        return Bottleneck(
            self.first.stride,
            _pointwise(self.first, kind),
            _neighbours(self.second, side, kind),
            _pointwise(self.third, kind),
            None if self.shortcut is None else _pointwise(self.shortcut, kind),
        )


@dataclass(frozen=True, slots=True)
class FoundBody:
    """A body of Mesmer's kind in a graph."""

    stem: str
    """Name of the first bottleneck's input."""
    channels: int
    """Of that input."""
    weights: Callable[[FactorKind], BodyWeights]
    """Lays the weights out, which takes memory for them beside the model's; is told as what."""


def find_body(graph: Graph, features: Sequence[str]) -> FoundBody:
    """Return the body that makes some maps.

    Parameters
    ----------
    graph
        The model's.
    features
        Names of what the heads begin with, in order.

    Raises
    ------
    ValueError
        It is not a body like Mesmer's; the message says where it differs.
    """
    begins = [convolution(graph, name, (64, None, 3, 3)) for name in features]
    if len({begin.source for begin in begins}) != 1:
        raise ValueError(
            f"heads begin with {', '.join(sorted({begin.source for begin in begins}))}; expected one map"
        )
    merged = convolution(graph, begins[0].source, (None, None, 3, 3))
    laterals = list(_laterals(graph, merged.source))
    found = list(_bottlenecks(graph, laterals[-1].source))[::-1]
    if not found:
        raise ValueError(f"{laterals[-1].source} comes from no bottleneck")
    sides = [int(side) for side in STEM_SIDE // np.cumprod([bottleneck.first.stride for bottleneck in found])]
    levels = _levels(found, sides, laterals)
    channels = found[0].first.depth
    for before, bottleneck in zip([None, *found], found, strict=False):
        bottleneck.require_channels(channels if before is None else before.third.columns)
    _require_panels(merged)
    for index, lateral in levels.items():
        _require_depth(lateral, found[index].third.columns)
        _require_depth(merged, lateral.columns)
        _require_panels(lateral)
    for begin in begins:
        _require_depth(begin, merged.columns)
    return FoundBody(
        found[0].first.source,
        channels,
        lambda kind: _laid_out(found, sides, levels, merged, begins, kind),
    )


def _laid_out(
    found: Sequence[_Found],
    sides: Sequence[int],
    levels: dict[int, Convolution],
    merged: Convolution,
    begins: Sequence[Convolution],
    kind: FactorKind,
) -> BodyWeights:
    """Return the weights as kernels take them."""
    bottlenecks = tuple(
        # The first one has 4 % of the products, and rounding it in bfloat16 would change most of the cells that
        # change: F1 at an IoU of 0.9 on reference images would be 0.9955 instead of 0.9984.
        bottleneck.laid_out(side, kind if index > 0 else _FIRST.get(kind, kind))
        for index, (bottleneck, side) in enumerate(zip(found, sides, strict=True))
    )
    large = sum(side >= _LEVEL_SIDES[0] for side in sides)
    return BodyWeights(
        bottlenecks[:large],
        bottlenecks[large:],
        _pointwise(levels[large - 1], kind),
        {index - large: _pointwise(lateral, kind) for index, lateral in levels.items() if index >= large},
        # What this convolution rounds reaches the maps undamped: with tiles of 4 x 4, one of 12 million pixels of
        # labels changed.
        _of_size(merged.weights, merged.bias, 2, kind),
        _of_size(
            np.concatenate([begin.weights for begin in begins]),
            np.concatenate([begin.bias for begin in begins]),
            4,
            kind,
        ),
    )


def _levels(
    bottlenecks: Sequence[_Found], sides: Sequence[int], laterals: Sequence[Convolution]
) -> dict[int, Convolution]:
    """Return the pyramid's 1 x 1 convolutions by the number of the bottleneck that each follows."""
    known = {lateral.source: lateral for lateral in laterals}
    levels = {index: known[one.output] for index, one in enumerate(bottlenecks) if one.output in known}
    if [sides[index] for index in levels] != list(_LEVEL_SIDES) or list(levels.values()) != list(laterals):
        raise ValueError(f"the pyramid is not built from maps of {_LEVEL_SIDES} rows")
    if sum(side >= _LEVEL_SIDES[0] for side in sides) - 1 not in levels:
        raise ValueError(f"the pyramid's largest map is not the last of {_LEVEL_SIDES[0]} rows")
    if any(one.shortcut is None for index, one in enumerate(bottlenecks) if index - 1 in levels):
        raise ValueError("a map of the pyramid is the shortcut of what follows it, in whose place it is computed")
    return levels


def _laterals(graph: Graph, name: str) -> Iterator[Convolution]:
    """Yield the pyramid's 1 x 1 convolutions from its largest map to its smallest."""
    while (node := producer(graph, name, "Add", "Conv")).operator == "Add":
        operators = [graph.producers[one].operator for one in node.inputs if one in graph.producers]
        if sorted(operators) != ["Conv", "Resize"]:
            raise ValueError(f"{name} adds {' and '.join(operators)}; expected Conv and Resize")
        yield convolution(graph, node.inputs[operators.index("Conv")], (None, None, 1, 1))
        name = undoubled(graph, node.inputs[operators.index("Resize")])
    yield convolution(graph, name, (None, None, 1, 1))


def _bottlenecks(graph: Graph, name: str) -> Iterator[_Found]:
    """Yield the bottlenecks that lead to a map, from the last to the first."""
    while (node := graph.producers.get(name)) is not None and node.operator == "Relu":
        added = graph.producers.get(node.inputs[0])
        if added is None or added.operator != "Add":
            return
        found = _bottleneck(graph, name, added.inputs)
        yield found
        name = found.first.source


def _bottleneck(graph: Graph, name: str, inputs: Sequence[str]) -> _Found:
    """Return the bottleneck that makes a map from the sum of two."""
    reasons = []
    for shortcut, branch in (inputs, inputs[::-1]):
        try:
            return _with_shortcut(graph, name, shortcut, branch)
        except ValueError as error:
            reasons.append(f"{error}")
    raise ValueError(f"{name} is no bottleneck's: {'; or '.join(reasons)}")


def _with_shortcut(graph: Graph, name: str, shortcut: str, branch: str) -> _Found:
    third = convolution(graph, branch, (None, None, 1, 1))
    second = convolution(graph, producer(graph, third.source, "Relu").inputs[0], (None, None, 3, 3))
    rectified = producer(graph, second.source, "Relu")
    first = convolution(graph, rectified.inputs[0], (None, None, 1, 1), strides=[(1, 1), (2, 2)])
    if shortcut == first.source and first.stride == 1:
        return _Found(name, first, second, third, None)
    stride = (first.stride, first.stride)
    beside = convolution(graph, shortcut, (len(third.weights), None, 1, 1), strides=[stride])
    if beside.source != first.source or beside.stride != first.stride:
        raise ValueError(f"what {name} adds up comes from {first.source} and {beside.source}")
    return _Found(name, first, second, third, beside)


def _pointwise(found: Convolution, kind: FactorKind) -> PixelConvolution:
    if kind in PIECES:
        return MatrixPointwise.of(found.weights, found.bias, PIECES[kind])
    return Pointwise.of(found.weights, found.bias, in_pairs=kind == "pairs")


def _neighbours(found: Convolution, side: int, kind: FactorKind) -> NeighbourConvolution:
    return _of_size(found.weights, found.bias, 4 if side >= _SMALLEST_FOR_4 else 2, kind)


def _of_size(weights: Floats, bias: Floats, size: int, kind: FactorKind) -> NeighbourConvolution:
    """Return a 3 x 3 convolution, by Winograd's with tiles of a size where that is faster."""
    if kind in PIECES:
        return MatrixNeighbours.of(weights, bias, PIECES[kind])
    return Winograd.of(weights, bias, size, in_pairs=kind == "pairs")


def _require_depth(found: Convolution, given: int) -> None:
    """Raise `ValueError` unless a convolution has ``given`` input channels."""
    if found.depth != given:
        raise ValueError(f"a convolution of {found.source} has {found.depth} input channels; expected {given}")


def _require_panels(found: Convolution) -> None:
    """Raise `ValueError` where kernels would not fit the channels."""
    if found.depth % PANEL or found.columns % PANEL:
        raise ValueError(
            f"a convolution of {found.source} has {found.depth} and {found.columns} channels; expected multiples of "
            f"{PANEL}"
        )
