"""Give a network Mesmer's input and outputs, whatever it calls them, so that every device computes it alike."""

from collections.abc import Sequence

import numpy as np

from cellscale.predict.heads import MESMER_HEADS, Head
from cellscale.predict.onnx_file.building import declared_input, declared_output, node, tensor
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT
from cellscale.predict.onnx_file.protobuf import encoded_field, message_fields
from cellscale.predict.onnx_file.renaming import renamed_field
from cellscale.predict.tiles import TILE

__all__ = ["adapted"]

# Field numbers from the onnx.proto of ONNX.
_MODEL_GRAPH = 7
_GRAPH_INPUT, _GRAPH_OUTPUT = 11, 12
_VALUE_NAME = 1

_AXIS = 3
"""Axis of the outputs along which their maps lie."""

_ALL = tuple(range(CHANNELS))
"""Nucleus and membrane."""

_TO_FIRST, _TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
"""Orders of axes: channels before rows and columns, or after them."""


def adapted(
    model: bytes,
    given: str,
    heads: Sequence[Head],
    *,
    channels_first: bool = False,
    channels: Sequence[int] = _ALL,
    tile: int = TILE,
) -> bytes:
    """Return a model with Mesmer's input and, for its maps, Mesmer's outputs in place of its own.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    given
        Name of its input.
    heads
        Which of its outputs make which maps.
    channels_first
        Whether its input has its channels before the rows, ``(n, 2, 256, 256)``.
    channels
        Which of nucleus (0) and membrane (1) it takes, in its order.
    tile
        Rows and columns of a tile.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    parts = []
    for number, payload, whole in message_fields(memoryview(model)):
        if number == _MODEL_GRAPH:
            graph = _adapted_graph(payload, given, heads, tuple(channels), tile, channels_first=channels_first)
            parts.append(encoded_field(_MODEL_GRAPH, graph))
        else:
            parts.append(bytes(whole))
    return b"".join(parts)


def _adapted_graph(
    graph: memoryview,
    given: str,
    heads: Sequence[Head],
    channels: tuple[int, ...],
    tile: int,
    *,
    channels_first: bool,
) -> bytes:
    kept = {head.output for head in heads if head == _place(head)}
    # What the network calls by Mesmer's names, and is something else, gets other names.
    as_it_is = not channels_first and channels == _ALL
    others = ({INPUT} if not as_it_is or given != INPUT else set()) | {head.output for head in MESMER_HEADS} - kept
    names = {name: f"{name}/own" for name in others}
    # Nodes come in the order of computation: what takes the input is first, what makes the outputs last.
    parts: list[bytes | memoryview] = [declared_input(INPUT, CHANNELS, tile)]
    seen = INPUT
    if channels != _ALL:
        seen = names.get(given, given) if not channels_first else f"{INPUT}/channels"
        parts.append(tensor(f"{INPUT}/which", np.array(channels, np.int64)))
        parts.append(node("Gather", [INPUT, f"{INPUT}/which"], seen, axis=_AXIS))
    if channels_first:
        parts.append(node("Transpose", [seen], names.get(given, given), perm=_TO_FIRST))
    elif seen == INPUT and given != INPUT:
        parts.append(node("Identity", [INPUT], names.get(given, given)))
    for number, payload, whole in message_fields(graph):
        is_given = number == _GRAPH_INPUT and _name(payload) == given
        if not is_given and (number != _GRAPH_OUTPUT or _name(payload) in kept):
            parts.append(renamed_field(number, payload, whole, names))
    for output in dict.fromkeys(head.output for head in heads if head.axis != _AXIS):
        parts.append(node("Transpose", [names.get(output, output)], f"{output}/channels_last", perm=_TO_LAST))
    for head in heads:
        if head.output not in kept:
            source = names.get(head.output, head.output) if head.axis == _AXIS else f"{head.output}/channels_last"
            parts += _output(head, source, _place(head), tile)
    return b"".join(parts)


def _output(head: Head, source: str, place: Head, tile: int) -> list[bytes]:
    """Return what makes Mesmer's output of a head's map, in all of its channels up to the one that is used."""
    channels = np.full(place.index + 1, head.index, np.int64)
    which = f"{place.output}/channels"
    return [
        tensor(which, channels),
        node("Gather", [source, which], place.output, axis=_AXIS),
        declared_output(place.output, len(channels), tile),
    ]


def _place(head: Head) -> Head:
    """Return where Mesmer has a map."""
    return next(one for one in MESMER_HEADS if (one.compartment, one.kind) == (head.compartment, head.kind))


def _name(value: memoryview) -> str:
    return "".join(bytes(payload).decode() for number, payload, _ in message_fields(value) if number == _VALUE_NAME)
