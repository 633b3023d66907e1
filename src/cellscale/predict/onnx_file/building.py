"""Parts of ONNX graphs, written as protocol buffers (field numbers from onnx.proto of ONNX)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from numpy.typing import NDArray

from cellscale.predict.onnx_file.protobuf import encoded_field
from cellscale.predict.tiles import TILE

__all__ = ["declared", "declared_input", "declared_output", "model", "node", "tensor"]

_INTEGER, _TEXT, _INTEGERS = 2, 3, 7
"""Types of attributes."""

_ELEMENTS = {"float32": 1, "int64": 7}
"""Element types of tensors, by numpy's names."""

_PLACES = {"input": 11, "output": 12}
"""Fields of a graph that declare values."""

_IR_VERSION, _OPSET = 8, 15


def model(name: str, parts: Sequence[bytes], facts: Mapping[str, str] | None = None) -> bytes:
    """Return the content of an ``.onnx`` file whose graph has these fields, with facts beside the graph."""
    opset = encoded_field(1, "") + encoded_field(2, _OPSET)
    graph = b"".join(parts) + encoded_field(2, name)
    pairs = [
        encoded_field(14, encoded_field(1, key) + encoded_field(2, value)) for key, value in (facts or {}).items()
    ]
    return b"".join([encoded_field(1, _IR_VERSION), encoded_field(7, graph), encoded_field(8, opset), *pairs])


def node(operator: str, inputs: Sequence[str], output: str, **attributes: int | str | list[int]) -> bytes:
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


def declared_input(name: str, channels: int, tile: int = TILE) -> bytes:
    """Return a graph's field that declares an input: any number of tiles, float32."""
    return declared("input", name, ["n", tile, tile, channels])


def declared_output(name: str, channels: int, tile: int = TILE) -> bytes:
    """Return a graph's field that declares an output: any number of tiles, float32."""
    return declared("output", name, ["n", tile, tile, channels])


def declared(
    place: Literal["input", "output"], name: str, shape: Sequence[int | str], dtype: str = "float32"
) -> bytes:
    """Return a graph's field that declares an input or an output; sizes with a name are open."""
    sizes = [encoded_field(2 if isinstance(size, str) else 1, size) for size in shape]
    dimensions = b"".join(encoded_field(1, size) for size in sizes)
    kind = encoded_field(1, encoded_field(1, _ELEMENTS[dtype]) + encoded_field(2, dimensions))
    return encoded_field(_PLACES[place], encoded_field(1, name) + encoded_field(2, kind))


def _attribute(name: str, value: int | str | list[int]) -> bytes:
    if isinstance(value, int):
        return encoded_field(1, name) + encoded_field(3, value) + encoded_field(20, _INTEGER)
    if isinstance(value, str):
        return encoded_field(1, name) + encoded_field(4, value) + encoded_field(20, _TEXT)
    return encoded_field(1, name) + b"".join(encoded_field(8, one) for one in value) + encoded_field(20, _INTEGERS)
