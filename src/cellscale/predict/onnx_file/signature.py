"""What goes into a network and what comes out of it, from its file alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cellscale.predict.onnx_file.protobuf import FileMessage, Message, encoded_field, message_fields

__all__ = ["Shape", "Signature", "signature_of"]

Shape: TypeAlias = tuple[int | None, ...]
"""Sizes along the axes of a tensor; None where the file leaves one open."""

# Field numbers from the onnx.proto of ONNX.
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 5, 11, 12
_TENSOR_NAME = 8
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _TENSOR_SHAPE, _SHAPE_DIMENSION, _DIMENSION_VALUE = 1, 2, 1, 2, 1, 1


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs and outputs of a network."""

    inputs: Mapping[str, Shape]
    """Shapes by name, weights left out."""

    outputs: Mapping[str, Shape]
    """Shapes by name."""


def signature_of(model: Path | bytes) -> Signature:
    """Return the inputs and outputs of a model.

    Parameters
    ----------
    model
        The ``.onnx`` file, whose weights are not read, or its content.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        The file is damaged.
    """
    if isinstance(model, bytes):
        return _signature(memoryview(model))
    with model.open("rb") as file:
        return _signature(FileMessage(file, 0, os.fstat(file.fileno()).st_size))


def _signature(model: Message) -> Signature:
    inputs: dict[str, Shape] = {}
    outputs: dict[str, Shape] = {}
    weights: set[str] = set()
    for graph in _payloads(model, _MODEL_GRAPH):
        for number, payload, _ in message_fields(graph):
            if number == _GRAPH_INITIALIZER:
                weights |= {_text(name) for name in _payloads(payload, _TENSOR_NAME)}
            elif number in (_GRAPH_INPUT, _GRAPH_OUTPUT):
                name = "".join(_text(part) for part in _payloads(payload, _VALUE_NAME))
                (inputs if number == _GRAPH_INPUT else outputs)[name] = _shape(payload)
    return Signature({name: shape for name, shape in inputs.items() if name not in weights}, outputs)


def _shape(value: Message) -> Shape:
    sizes: list[int | None] = []
    for kind in _payloads(value, _VALUE_TYPE):
        for tensor in _payloads(kind, _TYPE_TENSOR):
            for shape in _payloads(tensor, _TENSOR_SHAPE):
                sizes += [_size(dimension) for dimension in _payloads(shape, _SHAPE_DIMENSION)]
    return tuple(sizes)


def _size(dimension: Message) -> int | None:
    for number, _, whole in message_fields(dimension):
        if number == _DIMENSION_VALUE:
            return _integer(bytes(whole))
    return None


def _integer(field: bytes) -> int:
    """Return the integer of a field as `encoded_field` writes it: seven bits a byte after the byte of its number."""
    value = sum((byte & 127) << 7 * place for place, byte in enumerate(field[1:]))
    if encoded_field(_DIMENSION_VALUE, value) != field:
        raise ValueError("a size is written in another way than as a whole number")
    return value


def _payloads(message: Message, wanted: int) -> list[Message]:
    return [payload for number, payload, _ in message_fields(message) if number == wanted]


def _text(payload: Message) -> str:
    return bytes(payload).decode()
