"""Give a network Mesmer's input and outputs, whatever it calls them, so that every device computes it alike."""

from collections.abc import Sequence

import numpy as np

from cellscale.predict.heads import MESMER_HEADS, Head
from cellscale.predict.onnx_file.building import declared_input, declared_output, node, tensor
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT
from cellscale.predict.onnx_file.protobuf import encoded_field, message_fields

__all__ = ["adapted"]

# Field numbers from the onnx.proto of ONNX.
_MODEL_GRAPH = 7
_GRAPH_INPUT, _GRAPH_OUTPUT = 11, 12
_VALUE_NAME = 1

_AXIS = 3
"""Axis of the outputs along which their maps lie."""


def adapted(model: bytes, given: str, heads: Sequence[Head]) -> bytes:
    """Return a model with Mesmer's input and, for its maps, Mesmer's outputs in place of its own.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    given
        Name of its input.
    heads
        Which of its outputs make which maps.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    parts = [
        encoded_field(_MODEL_GRAPH, _adapted_graph(payload, given, heads)) if number == _MODEL_GRAPH else whole
        for number, payload, whole in message_fields(memoryview(model))
    ]
    return b"".join(parts)


def _adapted_graph(graph: memoryview, given: str, heads: Sequence[Head]) -> bytes:
    kept = {head.output for head in heads if head == _place(head)}
    # Nodes come in the order of computation: what takes the input is first, what makes the outputs last.
    parts: list[bytes | memoryview] = [declared_input(INPUT, CHANNELS)]
    if given != INPUT:
        parts.append(node("Identity", [INPUT], given))
    for number, payload, whole in message_fields(graph):
        is_given = number == _GRAPH_INPUT and _name(payload) == given
        if not is_given and (number != _GRAPH_OUTPUT or _name(payload) in kept):
            parts.append(whole)
    for head in heads:
        if head.output not in kept:
            parts += _output(head, _place(head))
    return b"".join(parts)


def _output(head: Head, place: Head) -> list[bytes]:
    """Return what makes Mesmer's output of a head's map, in all of its channels up to the one that is used."""
    channels = np.full(place.index + 1, head.index, np.int64)
    which = f"{place.output}/channels"
    return [
        tensor(which, channels),
        node("Gather", [head.output, which], place.output, axis=_AXIS),
        declared_output(place.output, len(channels)),
    ]


def _place(head: Head) -> Head:
    """Return where Mesmer has a map."""
    return next(one for one in MESMER_HEADS if (one.compartment, one.kind) == (head.compartment, head.kind))


def _name(value: memoryview) -> str:
    return "".join(bytes(payload).decode() for number, payload, _ in message_fields(value) if number == _VALUE_NAME)
