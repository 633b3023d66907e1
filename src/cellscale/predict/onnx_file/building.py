"""Parts of ONNX graphs, written as protocol buffers (field numbers from onnx.proto of ONNX)."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from cellscale.predict.onnx_file.protobuf import encoded_field
from cellscale.predict.tiles import TILE

__all__ = ["declared_input", "declared_output", "node", "tensor"]

_FLOAT, _INTEGER, _INTEGERS = 1, 2, 7
"""Element type of inputs and outputs, and types of attributes."""

_ELEMENTS = {"float32": 1, "int64": 7}
"""Element types of tensors, by numpy's names."""

_GRAPH_INPUT, _GRAPH_OUTPUT = 11, 12


def node(operator: str, inputs: Sequence[str], output: str, **attributes: int | list[int]) -> bytes:
    """Return a graph's field with a node."""
    content = b"".join(encoded_field(1, name) for name in inputs) + encoded_field(2, output)
    content += encoded_field(4, operator)
    return encoded_field(1, content + b"".join(encoded_field(5, _attribute(*one)) for one in attributes.items()))


def tensor(name: str, values: NDArray[Any]) -> bytes:
    """Return a graph's field with a constant of float32 or int64."""
    content = b"".join(encoded_field(1, size) for size in values.shape)
    content += encoded_field(2, _ELEMENTS[values.dtype.name])
    written = values.astype(values.dtype.newbyteorder("<"), order="C").tobytes()
    return encoded_field(5, content + encoded_field(8, name) + encoded_field(9, written))


def declared_input(name: str, channels: int) -> bytes:
    """Return a graph's field that declares an input: any number of tiles, float32."""
    return _value(_GRAPH_INPUT, name, channels)


def declared_output(name: str, channels: int) -> bytes:
    """Return a graph's field that declares an output: any number of tiles, float32."""
    return _value(_GRAPH_OUTPUT, name, channels)


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        return encoded_field(1, name) + encoded_field(3, value) + encoded_field(20, _INTEGER)
    return encoded_field(1, name) + b"".join(encoded_field(8, one) for one in value) + encoded_field(20, _INTEGERS)


def _value(number: int, name: str, channels: int) -> bytes:
    sizes = [encoded_field(2, "n"), *(encoded_field(1, size) for size in (TILE, TILE, channels))]
    shape = b"".join(encoded_field(1, size) for size in sizes)
    kind = encoded_field(1, encoded_field(1, _FLOAT) + encoded_field(2, shape))
    return encoded_field(number, encoded_field(1, name) + encoded_field(2, kind))
